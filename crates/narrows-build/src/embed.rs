use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

use crate::compress::{brotli, can_be_smaller, gzip, is_smaller};
use crate::versions::short;
use crate::{CollectError, Collection, write};

/// The file that `narrows_web::assets!()` includes.
pub(crate) const CODE: &str = "narrows_assets.rs";
/// The folder of what it embeds.
const BLOBS: &str = "narrows_assets";

impl Collection {
    /// Writes `narrows_assets.rs` into this folder, cargo's `OUT_DIR`, which embeds all of it, and beside it what it embeds: the contents, and the compressed
    /// forms of those files of text that become a tenth smaller.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn embed(&self, out: &Path) -> Result<(), CollectError> {
        self.write(out).map_err(|error| CollectError::write(out, error))
    }

    fn write(&self, out: &Path) -> io::Result<()> {
        let mut blobs = Blobs { folder: out.join(BLOBS), used: BTreeSet::new() };
        fs::create_dir_all(&blobs.folder)?;
        let mut code =
            String::from("::narrows_web::Assets::embedded(\n    env!(\"CARGO_MANIFEST_DIR\"),\n    &[\n");
        for (name, text) in &self.templates {
            let blob = included(&blobs.keep(text.as_bytes())?);
            line(&mut code, format_args!("        ({name:?}, include_str!({blob})),"));
        }
        code.push_str("    ],\n    &[\n");
        for (name, file) in &self.files {
            let etag = short(&Sha256::digest(&file.content));
            let version = &file.version;
            let content = included(&blobs.keep(&file.content)?);
            let [gzip, brotli] = if can_be_smaller(name) {
                [blobs.compressed(&file.content, "gz", gzip)?, blobs.compressed(&file.content, "br", brotli)?]
            } else {
                [None, None]
            };
            let form = |blob: Option<String>| match blob {
                Some(blob) => format!("::core::option::Option::Some(include_bytes!({}))", included(&blob)),
                None => "::core::option::Option::None".to_owned(),
            };
            line(
                &mut code,
                format_args!(
                    "        ::narrows_web::embedded::File {{ name: {name:?}, version: {version:?}, etag: {etag:?}, \
                     content: include_bytes!({content}), gzip: {}, brotli: {} }},",
                    form(gzip),
                    form(brotli),
                ),
            );
        }
        code.push_str("    ],\n)\n");
        write(&out.join(CODE), code.as_bytes())?;
        blobs.sweep()
    }
}

fn line(code: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(code, "{text}").expect("writing to a String does not fail");
}

/// The path of a blob as the compiler is told it: not as it is now, so that a target folder may be moved, or kept for another place.
fn included(blob: &str) -> String {
    format!("concat!(env!(\"OUT_DIR\"), \"/{BLOBS}/{blob}\")")
}

/// The contents by their digests: what is there from the last build is not compressed again.
struct Blobs {
    folder: PathBuf,
    used: BTreeSet<String>,
}

impl Blobs {
    /// A copy, so that what the compiler reads is what the versions were made of. Its name.
    fn keep(&mut self, content: &[u8]) -> io::Result<String> {
        let name = name(content, "bin");
        let path = self.folder.join(&name);
        if !path.exists() {
            put(&path, content)?;
        }
        self.used.insert(name.clone());
        Ok(name)
    }

    /// The compressed form, where it is worth having. One that is not is kept, too, as an empty file.
    fn compressed(
        &mut self,
        content: &[u8],
        extension: &str,
        compress: fn(&[u8]) -> io::Result<Vec<u8>>,
    ) -> io::Result<Option<String>> {
        let name = name(content, extension);
        let path = self.folder.join(&name);
        if !path.exists() {
            let mut compressed = compress(content)?;
            if !is_smaller(&compressed, content) {
                compressed.clear();
            }
            put(&path, &compressed)?;
        }
        self.used.insert(name.clone());
        Ok((path.metadata()?.len() > 0).then_some(name))
    }

    /// Deletes what is of earlier builds.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| self.used.contains(name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn name(content: &[u8], extension: &str) -> String {
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}.{extension}")
}

/// Writes a file as a whole or not at all: a build that is broken off leaves no half of one.
fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, content)?;
    fs::rename(part, path)
}
