-- For psql: gives the two roles of roles.sql the passwords that the environment holds.
\getenv reader READER_PASSWORD
\getenv operator OPERATOR_PASSWORD
ALTER ROLE queueboard_reader PASSWORD :'reader';
ALTER ROLE queueboard_operator PASSWORD :'operator';
