//! Invents documents: where they come from, what they are called, what is done to them first.

use anyhow::Context;
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::stages::{CHUNK, CLASSIFY, EMBED, EXTRACT, PREVIEW, STT};

const INSERT: &str = "\
    INSERT INTO documents (id, title, original_filename, file_path, ai_model_version)
    VALUES (?, ?, ?, ?, ?)";

const KOREAN_TOPICS: [&str; 12] = [
    "예산 집행",
    "고객 만족도",
    "배포 자동화",
    "검색 품질",
    "개인정보 처리",
    "장애 대응",
    "신규 채용",
    "데이터센터 이전",
    "연구노트 색인",
    "하반기 로드맵",
    "협력사 계약",
    "보안 점검",
];
const KOREAN_FORMS: [&str; 6] = [
    "보고서",
    "회의록",
    "계획안",
    "검토 의견",
    "요약본",
    "제안서",
];
const ENGLISH_TOPICS: [&str; 10] = [
    "vector search",
    "capacity planning",
    "incident response",
    "GPU scheduling",
    "data retention",
    "onboarding",
    "speech recognition",
    "quarterly budget",
    "document layout",
    "release process",
];
const ENGLISH_FORMS: [&str; 5] = [
    "Notes on",
    "A review of",
    "Proposal:",
    "Minutes:",
    "Field guide to",
];

/// What a document is made of, which decides where it enters the pipeline
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    Pdf,
    Recording,
    Note,
    Picture,
}

impl Medium {
    /// Draws a medium that has words in it, recordings with the given share
    pub(super) fn draw(rng: &mut Rng, recordings: f64) -> Self {
        if rng.f64() < recordings {
            Medium::Recording
        } else if rng.bool() {
            Medium::Pdf
        } else {
            Medium::Note
        }
    }

    /// Names the stages that a new document waits for
    pub(super) fn entry(self) -> &'static [&'static str] {
        match self {
            Medium::Pdf => &[EXTRACT],
            Medium::Recording => &[STT],
            Medium::Note => &[CLASSIFY, CHUNK],
            Medium::Picture => &[PREVIEW, EMBED],
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Medium::Pdf => "pdf",
            Medium::Recording => "m4a",
            Medium::Note => "md",
            Medium::Picture => "jpg",
        }
    }
}

/// A document as it arrives, with any of its names missing
pub(super) struct Document {
    pub(super) medium: Medium,
    title: Option<String>,
    original_filename: Option<String>,
    file_path: Option<String>,
}

impl Document {
    /// Invents a document of a medium
    pub(super) fn invent(rng: &mut Rng, medium: Medium) -> Self {
        let extension = medium.extension();
        let title = title(rng);
        let filename = match (rng.bool(), medium) {
            (true, Medium::Pdf) => format!("scan_{:04}.{extension}", rng.u32(0..10_000)),
            (true, Medium::Recording) => format!("녹음_{:03}.{extension}", rng.u32(0..1000)),
            (true, Medium::Picture) => format!("IMG_{:04}.{extension}", rng.u32(0..10_000)),
            _ => format!(
                "{}.{extension}",
                title.replace([' ', '"', '/', '<', '>'], "_")
            ),
        };
        let path = format!("/archive/{:02}/{filename}", rng.u32(1..13));
        let (title, original_filename, file_path) = match rng.u8(0..40) {
            0 => (None, None, None),
            1 | 2 => (None, None, Some(path)),
            3 => (Some(String::new()), Some(filename), Some(path)),
            4..7 => (None, Some(filename), Some(path)),
            7..15 => (Some(title), None, Some(path)),
            _ => (Some(title), Some(filename), Some(path)),
        };
        Document {
            medium,
            title,
            original_filename,
            file_path,
        }
    }

    /// Stores the document and returns its id: the given one, or the next
    pub(super) async fn store(
        &self,
        db: &mut SqliteConnection,
        id: Option<i64>,
        model: Option<&str>,
    ) -> anyhow::Result<i64> {
        let stored = sqlx::query(INSERT)
            .bind(id)
            .bind(self.title.as_deref())
            .bind(self.original_filename.as_deref())
            .bind(self.file_path.as_deref())
            .bind(model)
            .execute(db)
            .await
            .context("storing a document of the demo")?;
        Ok(stored.last_insert_rowid())
    }
}

fn title(rng: &mut Rng) -> String {
    let korean = pick(rng, &KOREAN_TOPICS);
    let form = pick(rng, &KOREAN_FORMS);
    let english = pick(rng, &ENGLISH_TOPICS);
    let number = rng.u32(1..13);
    match rng.u8(0..40) {
        // What a label or a page must not trip over.
        0 => format!("{korean} \"최종\" {form}"),
        1 => format!("<b>긴급</b> {korean} {form}"),
        2..22 => format!("{number}월 {korean} {form}"),
        22..26 => format!("{korean} {form} ({number}차)"),
        _ => format!("{} {english}, part {number}", pick(rng, &ENGLISH_FORMS)),
    }
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    rng.choice(words).copied().unwrap_or_default()
}
