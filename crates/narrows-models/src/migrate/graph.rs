use std::collections::HashMap;
use std::collections::HashSet;

use super::error::MigrateError;
use super::{App, Make, Part, Target};
use crate::migration::{Migration, Operation};
use crate::schema::Schema;
use crate::state;

/// All migrations of all apps, each after what it needs.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    apps: Vec<&'a str>,
}

pub(super) struct Node<'a> {
    pub(super) app: &'a str,
    pub(super) name: &'a str,
    pub(super) part: NodePart<'a>,
    /// What comes right before it; always earlier in the list.
    needs: Vec<usize>,
}

pub(super) enum NodePart<'a> {
    Migration(&'a Migration),
    Made(&'a Make),
}

impl Node<'_> {
    pub(super) fn label(&self) -> String {
        format!("{}.{}", self.app, self.name)
    }

    pub(super) fn operations(&self) -> &[Operation] {
        match self.part {
            NodePart::Migration(migration) => &migration.operations,
            NodePart::Made(_) => &[],
        }
    }
}

/// Migrations of the database, by app and name.
pub(super) type Names = HashSet<(String, String)>;

impl<'a> Graph<'a> {
    pub(super) fn new(apps: &'a [App]) -> Result<Self, MigrateError> {
        let mut all: Vec<(&str, Loose<'a>)> = Vec::new();
        let mut by_name = HashMap::new();
        for (at, app) in apps.iter().enumerate() {
            if apps[..at].iter().any(|other| other.name == app.name) {
                return Err(MigrateError::Twice { what: app.name.clone() });
            }
            let mut before: Option<&str> = None;
            for (name, part, mut needs) in parts(&app.part) {
                needs.extend(before.map(|name| (app.name.as_str(), name)));
                if by_name.insert((app.name.as_str(), name), all.len()).is_some() {
                    return Err(MigrateError::Twice { what: format!("{}.{name}", app.name) });
                }
                all.push((&app.name, (name, part, needs)));
                before = Some(name);
            }
        }
        let mut needs = Vec::new();
        for (app, (name, _, wanted)) in &all {
            let of = wanted.iter().map(|(of, wanted)| {
                by_name.get(&(*of, *wanted)).copied().ok_or_else(|| MigrateError::UnknownAfter {
                    migration: format!("{app}.{name}"),
                    after: format!("{of}.{wanted}"),
                })
            });
            needs.push(of.collect::<Result<Vec<_>, _>>()?);
        }
        let label = |at: usize| format!("{}.{}", all[at].0, all[at].1.0);
        let order = order(&needs).map_err(|circle| MigrateError::Circular {
            circle: circle.into_iter().map(label).collect::<Vec<_>>().join(" after "),
        })?;
        let place: HashMap<usize, usize> = order.iter().enumerate().map(|(place, at)| (*at, place)).collect();
        let mut all: Vec<_> = all.into_iter().map(Some).collect();
        let nodes = order.iter().filter_map(|at| {
            let (app, (name, part, _)) = all[*at].take()?;
            Some(Node { app, name, part, needs: needs[*at].iter().map(|need| place[need]).collect() })
        });
        Ok(Self { nodes: nodes.collect(), apps: apps.iter().map(|app| app.name.as_str()).collect() })
    }

    pub(super) fn operations(&self, at: usize) -> &'a [Operation] {
        match self.nodes[at].part {
            NodePart::Migration(migration) => &migration.operations,
            NodePart::Made(_) => &[],
        }
    }

    /// Which of these are in the database.
    pub(super) fn applied(&self, names: &Names) -> Vec<bool> {
        self.nodes.iter().map(|node| names.contains(&(node.app.to_owned(), node.name.to_owned()))).collect()
    }

    /// Those of the database that are not here, of apps that are.
    pub(super) fn gone(&self, names: &Names) -> Vec<(String, String)> {
        let here = |app: &str, name: &str| self.nodes.iter().any(|node| node.app == app && node.name == name);
        let gone = names.iter().filter(|(app, name)| self.apps.contains(&app.as_str()) && !here(app, name));
        let mut gone: Vec<_> = gone.cloned().collect();
        gone.sort();
        gone
    }

    /// Each that is applied has all before it applied.
    pub(super) fn check(&self, applied: &[bool]) -> Result<(), MigrateError> {
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| applied[*at]) {
            if let Some(missing) = node.needs.iter().find(|need| !applied[**need]) {
                return Err(MigrateError::OutOfOrder {
                    applied: self.nodes[at].label(),
                    missing: self.nodes[*missing].label(),
                });
            }
        }
        Ok(())
    }

    /// What is to be done, in order: a migration, and whether forwards. `begun` are those that stopped half-way.
    pub(super) fn steps(
        &self,
        target: &Target,
        applied: &[bool],
        begun: &[bool],
    ) -> Result<Vec<(usize, bool)>, MigrateError> {
        let (app, wanted) = match target {
            Target::Latest => return Ok(self.forwards((0..self.nodes.len()).collect(), applied)),
            Target::App(app) => (app, None),
            Target::To { app, name } => (app, Some(Some(self.find(app, name)?))),
            Target::Zero { app } => (app, Some(None)),
        };
        let of_app = self.of_app(app)?;
        let Some(wanted) = wanted else {
            return Ok(self.forwards(of_app.last().copied().into_iter().collect(), applied));
        };
        let later = of_app.into_iter().filter(|at| wanted.is_none_or(|wanted| *at > wanted));
        let back: HashSet<usize> = later.filter(|at| applied[*at] || begun[*at]).collect();
        if back.is_empty() {
            return Ok(self.forwards(wanted.into_iter().collect(), applied));
        }
        Ok(self.backwards(back, applied, begun))
    }

    /// The schema that these add up to.
    pub(super) fn schema(&self, applied: &[bool]) -> Result<Schema, MigrateError> {
        let mut schema = Schema::default();
        for (at, node) in self.nodes.iter().enumerate().filter(|(at, _)| applied[*at]) {
            for (number, operation) in node.operations().iter().enumerate() {
                state::apply(&mut schema, operation)
                    .map_err(|source| self.does_not_fit(at, number, operation, source))?;
            }
        }
        Ok(schema)
    }

    pub(super) fn does_not_fit(
        &self,
        at: usize,
        number: usize,
        operation: &Operation,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> MigrateError {
        MigrateError::DoesNotFit {
            migration: self.nodes[at].label(),
            operation: number + 1,
            what: super::describe(operation),
            source: source.into(),
        }
    }

    pub(super) fn of_app(&self, app: &str) -> Result<Vec<usize>, MigrateError> {
        if !self.apps.contains(&app) {
            return Err(MigrateError::NoApp { app: app.to_owned(), known: self.apps.join(", ") });
        }
        Ok((0..self.nodes.len()).filter(|at| self.nodes[*at].app == app).collect())
    }

    /// By its name, or by a beginning of it that no other has.
    fn find(&self, app: &str, name: &str) -> Result<usize, MigrateError> {
        let of_app = self.of_app(app)?;
        if let Some(at) = of_app.iter().find(|at| self.nodes[**at].name == name) {
            return Ok(*at);
        }
        let names = |all: &[usize]| all.iter().map(|at| self.nodes[*at].name).collect::<Vec<_>>().join(", ");
        let begin: Vec<_> =
            of_app.iter().copied().filter(|at| self.nodes[*at].name.starts_with(name)).collect();
        match begin[..] {
            [at] => Ok(at),
            [] => Err(MigrateError::NoMigration {
                app: app.to_owned(),
                name: name.to_owned(),
                known: names(&of_app),
            }),
            _ => Err(MigrateError::Ambiguous {
                app: app.to_owned(),
                name: name.to_owned(),
                found: names(&begin),
            }),
        }
    }

    fn forwards(&self, mut wanted: HashSet<usize>, applied: &[bool]) -> Vec<(usize, bool)> {
        for at in (0..self.nodes.len()).rev() {
            if wanted.contains(&at) {
                wanted.extend(&self.nodes[at].needs);
            }
        }
        (0..self.nodes.len()).filter(|at| wanted.contains(at) && !applied[*at]).map(|at| (at, true)).collect()
    }

    fn backwards(&self, mut back: HashSet<usize>, applied: &[bool], begun: &[bool]) -> Vec<(usize, bool)> {
        for (at, node) in self.nodes.iter().enumerate() {
            if (applied[at] || begun[at]) && node.needs.iter().any(|need| back.contains(need)) {
                back.insert(at);
            }
        }
        (0..self.nodes.len()).rev().filter(|at| back.contains(at)).map(|at| (at, false)).collect()
    }
}

/// What there is of a migration before the order is known: its name, what it does, and what it comes after.
type Loose<'a> = (&'a str, NodePart<'a>, Vec<(&'a str, &'a str)>);

fn parts<'a>(part: &'a Part) -> Vec<Loose<'a>> {
    match part {
        Part::Migrations(migrations) => {
            let part = |migration: &'a Migration| {
                let after = migration.after.iter().map(|(app, name)| (app.as_str(), name.as_str()));
                (migration.name.as_str(), NodePart::Migration(migration), after.collect())
            };
            migrations.all.iter().map(part).collect()
        }
        Part::Made(all) => {
            all.iter().map(|(name, make)| (name.as_str(), NodePart::Made(make), Vec::new())).collect()
        }
    }
}

/// Each after what it needs, and otherwise as they are; or a circle.
fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::new();
    let mut done = vec![false; needs.len()];
    for first in 0..needs.len() {
        // What is being looked at, each with how many of its needs were.
        let mut path: Vec<(usize, usize)> = vec![(first, 0)];
        while let Some((at, seen)) = path.last_mut() {
            if done[*at] {
                path.pop();
                continue;
            }
            if let Some(need) = needs[*at].get(*seen).copied() {
                *seen += 1;
                if let Some(begin) = path.iter().position(|(at, _)| *at == need) {
                    let mut circle: Vec<_> = path[begin..].iter().map(|(at, _)| *at).collect();
                    circle.push(need);
                    return Err(circle);
                }
                path.push((need, 0));
            } else {
                done[*at] = true;
                order.push(*at);
                path.pop();
            }
        }
    }
    Ok(order)
}
