use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A map in the order of its keys, of which most have a few entries and some have thousands.
///
/// A few stand in a list of just their size: an entry in a tree or a table takes room for a dozen.
#[derive(Debug)]
pub(super) enum SmallMap<K, V> {
    Few(Vec<(K, V)>),
    Many(BTreeMap<K, V>),
}

impl<K: Ord, V> SmallMap<K, V> {
    /// With more it is a tree, and with half of them a list again.
    const FEW: usize = 8;

    pub(super) fn new() -> Self {
        Self::Few(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Few(few) => place(few, key).ok().map(|at| &few[at].1),
            Self::Many(many) => many.get(key),
        }
    }

    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Few(few) => place(few, key).ok().map(|at| &mut few[at].1),
            Self::Many(many) => many.get_mut(key),
        }
    }

    /// The key as it stands here.
    pub(super) fn key<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&K>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Few(few) => place(few, key).ok().map(|at| &few[at].0),
            Self::Many(many) => many.get_key_value(key).map(|(key, _)| key),
        }
    }

    /// Puts an entry in, in the place of one with its key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match self {
            Self::Few(few) => match place(few, &key) {
                Ok(at) => few[at].1 = value,
                Err(at) if few.len() < Self::FEW => {
                    few.reserve_exact(1);
                    few.insert(at, (key, value));
                }
                Err(_) => {
                    let mut many: BTreeMap<K, V> = std::mem::take(few).into_iter().collect();
                    many.insert(key, value);
                    *self = Self::Many(many);
                }
            },
            Self::Many(many) => drop(many.insert(key, value)),
        }
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Few(few) => {
                let removed = place(few, key).ok().map(|at| few.remove(at).1);
                few.shrink_to_fit();
                removed
            }
            Self::Many(many) => {
                let removed = many.remove(key);
                if many.len() <= Self::FEW / 2 {
                    *self = Self::Few(std::mem::take(many).into_iter().collect());
                }
                removed
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.beyond(None)
    }

    /// The entries behind this key, or all.
    pub(super) fn beyond<Q: Ord + ?Sized>(&self, key: Option<&Q>) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (few, many) = match self {
            Self::Few(few) => {
                let from = key.map_or(0, |key| place(few, key).map_or_else(|at| at, |at| at + 1));
                (Some(few[from..].iter().map(|(key, value)| (key, value))), None)
            }
            Self::Many(many) => {
                let from = key.map_or(Bound::Unbounded, Bound::Excluded);
                (None, Some(many.range::<Q, _>((from, Bound::Unbounded))))
            }
        };
        few.into_iter().flatten().chain(many.into_iter().flatten())
    }
}

fn place<K: Borrow<Q>, V, Q: Ord + ?Sized>(few: &[(K, V)], key: &Q) -> Result<usize, usize> {
    few.binary_search_by(|(other, _)| other.borrow().cmp(key))
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_holds(steps in proptest::collection::vec((0_u8..30, any::<bool>()), 0..200)) {
            let (mut small, mut tree) = (SmallMap::new(), BTreeMap::new());
            for (number, (key, puts)) in steps.into_iter().enumerate() {
                if puts {
                    small.insert(key, number);
                    tree.insert(key, number);
                } else {
                    prop_assert_eq!(small.remove(&key), tree.remove(&key));
                }
                prop_assert!(small.iter().eq(tree.iter()));
                prop_assert!(small.beyond(Some(&key)).eq(tree.range(key + 1..)));
                prop_assert_eq!((small.len(), small.get(&key), small.key(&key)), (
                    tree.len(), tree.get(&key), tree.get_key_value(&key).map(|(key, _)| key),
                ));
                prop_assert_eq!(small.get_mut(&key), tree.get_mut(&key));
            }
        }
    }
}
