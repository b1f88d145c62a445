//! What a database says of its tables, as texts that can be compared.

use narrows_models::sea_orm::DbBackend;

use super::site::Site;

/// All that there is, but for what migrations record; in an order that does not depend on how it came to be.
pub(crate) async fn structure(site: &Site) -> Vec<String> {
    let queries: &[&str] = match site.backend() {
        DbBackend::Sqlite => &[
            "SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' \
             || coalesce(c.dflt_value, '-') || ' ' || c.pk || ' ' || (t.sql LIKE '%AUTOINCREMENT%') \
             FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
            "SELECT 'index ' || t.name || '.' || i.name || ' ' || i.\"unique\" || ' ' || i.origin || ' ' || \
             (SELECT group_concat(name, ',') FROM pragma_index_info(i.name)) \
             FROM sqlite_master t, pragma_index_list(t.name) i WHERE t.type = 'table'",
            "SELECT 'key ' || t.name || '.' || k.\"from\" || ' ' || k.\"table\" || '.' || coalesce(k.\"to\", '-') || ' ' \
             || k.seq || ' ' || k.on_delete || ' ' || k.on_update \
             FROM sqlite_master t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table'",
            "SELECT 'other ' || type || ' ' || name || ' ' || sql FROM sqlite_master WHERE type IN ('view', 'trigger')",
        ],
        DbBackend::Postgres => &[
            "SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' \
             || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-') || ' ' || a.attidentity::text \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d \
             ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT attisdropped \
             AND c.relnamespace = 'public'::regnamespace",
            // The index of a primary key keeps its first name.
            "SELECT 'index ' || tablename || ' ' || CASE WHEN indexname LIKE '%_pkey' THEN 'pkey' ELSE indexdef END \
             FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT 'constraint ' || conrelid::regclass || ' ' || contype::text || ' ' \
             || CASE contype WHEN 'p' THEN '' ELSE conname END || ' ' || pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
        ],
        _ => &[
            "SELECT CONCAT('column ', table_name, '.', column_name, ' ', column_type, ' ', is_nullable, ' ', \
             COALESCE(column_default, '-'), ' ', extra, ' ', COALESCE(collation_name, '-')) \
             FROM information_schema.columns WHERE table_schema = DATABASE()",
            "SELECT CONCAT('index ', table_name, '.', index_name, ' ', non_unique, ' ', seq_in_index, ' ', column_name, ' ', \
             COALESCE(sub_part, '-')) FROM information_schema.statistics WHERE table_schema = DATABASE()",
            "SELECT CONCAT('key ', k.table_name, '.', k.constraint_name, ' ', k.column_name, ' ', \
             k.referenced_table_name, '.', k.referenced_column_name, ' ', r.delete_rule, ' ', r.update_rule) \
             FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r \
             ON r.constraint_schema = k.table_schema AND r.constraint_name = k.constraint_name \
             AND r.table_name = k.table_name WHERE k.table_schema = DATABASE()",
        ],
    };
    let mut all = Vec::new();
    for query in queries {
        all.extend(site.texts(query).await);
    }
    all.retain(|line| !line.contains("narrows_migration"));
    all.sort();
    all
}

/// All rows of a table as texts, by their first column.
pub(crate) async fn rows(site: &Site, table: &str, columns: &[&str]) -> Vec<String> {
    let text = |column: &&str| {
        let column = site.quote(column);
        match site.backend() {
            DbBackend::MySql => format!("CAST({column} AS CHAR)"),
            DbBackend::Sqlite => {
                format!(
                    "CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END"
                )
            }
            _ => format!("CAST({column} AS TEXT)"),
        }
    };
    let each = columns.iter().map(|column| format!("coalesce({}, 'NULL')", text(column)));
    let texts = each.collect::<Vec<_>>().join(" || '|' || ");
    site.texts(&format!("SELECT {texts} FROM {} ORDER BY {}", site.quote(table), site.quote(columns[0])))
        .await
}
