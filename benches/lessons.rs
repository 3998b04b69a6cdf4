//! Opening and parsing every lesson in every language, as the tour does before its first frame.
//!
//! `cargo bench --bench lessons`. The goal is under 10 ms.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forklore::lesson::{LessonFile, Library, embed};
use std::hint::black_box;

fn open(c: &mut Criterion) {
    let files: Vec<LessonFile> = embed::lessons().collect();
    let mut group = c.benchmark_group("lessons");
    group.throughput(Throughput::Bytes(files.iter().map(|file| file.bytes.len() as u64).sum()));
    group.bench_function("open and parse all", |b| {
        b.iter(|| {
            let library = Library::new(embed::lessons(), black_box("en"));
            assert!(!library.is_empty());
            library
        });
    });
    group.finish();
}

criterion_group!(benches, open);
criterion_main!(benches);
