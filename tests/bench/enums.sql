-- The same rows with the ENUM columns that an object mapper makes.
DROP INDEX uq_queue_active;
CREATE TYPE stage AS ENUM ('extract', 'embed', 'chunk', 'markdown', 'preview', 'thumbnail', 'fulltext',
    'stt', 'classify', 'summarize', 'deep_summary');
CREATE TYPE status AS ENUM ('pending', 'processing', 'completed', 'failed');
ALTER TABLE processing_queue ALTER stage TYPE stage USING stage::stage,
    ALTER status TYPE status USING status::status;
CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
    WHERE status IN ('pending', 'processing');
