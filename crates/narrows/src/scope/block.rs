/// Texts in one block of their exact size, with where each ends in another.
///
/// A header value, or a part of the request, would keep hyper's whole read buffer for as long as a socket lives.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Block {
    text: Box<str>,
    ends: Box<[u32]>,
}

impl Block {
    pub(super) fn copy<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut text = String::with_capacity(texts.clone().map(str::len).sum());
        let mut ends = Vec::with_capacity(texts.clone().count());
        for item in texts {
            text.push_str(item);
            // The head of a request has less than 4 GiB on any server.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), ends: ends.into() }
    }

    pub(super) fn get(&self, index: usize) -> &str {
        let end = |index: usize| self.ends.get(index).map_or(self.text.len(), |end| *end as usize);
        let start = index.checked_sub(1).map_or(0, end);
        self.text.get(start..end(index)).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// What it owns of the heap, in bytes.
    #[cfg(test)]
    pub(super) fn heap(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }
}
