use std::fmt;
use std::sync::Arc;

use http::Extensions;

use crate::identity::{Identity, IdentityCheck};

type Named = (&'static str, Arc<dyn IdentityCheck>);

/// The checks of identities that a layer around routes gives names, in a request's extensions: a connection that comes
/// back is checked by the one that had this name, on whichever node.
///
/// For layers whose extractors bind identities; [`ConsumerRoute::identity_check`](crate::ConsumerRoute::identity_check)
/// is the same for one route.
///
/// ```
/// use std::sync::Arc;
/// use narrows::{IdentityCheck, IdentityChecks};
///
/// fn call(request: &mut http::Request<()>, check: &Arc<dyn IdentityCheck>) {
///     IdentityChecks::add(request.extensions_mut(), "my-sessions", check.clone());
/// }
/// ```
#[derive(Clone, Default)]
pub struct IdentityChecks(Vec<Named>);

impl IdentityChecks {
    /// Names a check. Of several with one name the first counts.
    pub fn add(extensions: &mut Extensions, name: &'static str, check: Arc<dyn IdentityCheck>) {
        extensions.get_or_insert_default::<Self>().0.push((name, check));
    }
}

impl fmt::Debug for IdentityChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The named checks of one handshake: its route's, and those of the layers around.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checks {
    route: Arc<IdentityChecks>,
    request: Option<Arc<IdentityChecks>>,
}

/// The identity has a check without a name: nobody could ask it later.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nameless;

impl Checks {
    pub(crate) fn new(route: &Arc<IdentityChecks>, extensions: &mut Extensions) -> Self {
        Self { route: route.clone(), request: extensions.remove::<IdentityChecks>().map(Arc::new) }
    }

    /// What the check of an identity is called, if it has one.
    pub(super) fn name(&self, identity: &Identity) -> Result<Option<&'static str>, Nameless> {
        let Some(check) = identity.check() else { return Ok(None) };
        let named = self.all().find(|(_, known)| Arc::ptr_eq(known, check));
        named.map(|(name, _)| Some(*name)).ok_or(Nameless)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<dyn IdentityCheck>> {
        self.all().find(|(known, _)| *known == name).map(|(_, check)| check)
    }

    fn all(&self) -> impl Iterator<Item = &Named> {
        self.route.0.iter().chain(self.request.iter().flat_map(|request| &request.0))
    }
}

impl IdentityChecks {
    pub(crate) fn push(&mut self, name: &'static str, check: Arc<dyn IdentityCheck>) {
        self.0.push((name, check));
    }
}
