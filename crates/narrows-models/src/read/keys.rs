//! Foreign keys, from an entity's relations.

use sea_orm::sea_query::{ForeignKeyAction, TableName, TableRef};
use sea_orm::{EntityTrait, Identity, Iterable, RelationTrait};

use crate::read::{ModelError, names};
use crate::schema::{Action, ForeignKey};

/// Those of the relations whose columns are here.
pub(super) fn read<E: EntityTrait>(entity: &'static str, table: &str) -> Result<Vec<ForeignKey>, ModelError> {
    let mut all: Vec<ForeignKey> = Vec::new();
    for relation in E::Relation::iter().map(|relation| relation.def()) {
        if relation.is_owner || relation.skip_fk {
            continue;
        }
        let TableRef::Table(TableName(schema, to_table), _) = relation.to_tbl else { continue };
        if let Some(schema) = schema {
            return Err(ModelError::SchemaName { entity, schema: schema.1.to_string() });
        }
        let mut key = ForeignKey {
            name: String::new(),
            columns: columns(&relation.from_col),
            to_table: to_table.to_string(),
            to_columns: columns(&relation.to_col),
            on_delete: relation.on_delete.map(action).unwrap_or_default(),
            on_update: relation.on_update.map(action).unwrap_or_default(),
        };
        // Two relations may join by one key.
        if all.iter().any(|other| ForeignKey { name: String::new(), ..other.clone() } == key) {
            continue;
        }
        key.name = match relation.fk_name {
            Some(name) => names::cut(name),
            None if all.iter().any(|other| other.columns == key.columns) => {
                names::further_foreign_key(table, &key.columns, &key.to_table)
            }
            None => names::foreign_key(table, &key.columns),
        };
        all.push(key);
    }
    Ok(all)
}

fn columns(identity: &Identity) -> Vec<String> {
    identity.iter().map(ToString::to_string).collect()
}

fn action(action: ForeignKeyAction) -> Action {
    match action {
        ForeignKeyAction::Cascade => Action::Cascade,
        ForeignKeyAction::SetNull => Action::SetNull,
        ForeignKeyAction::SetDefault => Action::SetDefault,
        ForeignKeyAction::NoAction => Action::NoAction,
        _ => Action::Restrict,
    }
}
