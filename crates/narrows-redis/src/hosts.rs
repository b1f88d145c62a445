use std::path::PathBuf;
#[derive(Clone, Debug, PartialEq)]
pub struct Host { pub(crate) place: Place, pub(crate) username: Option<String>, pub(crate) password: Option<String>, pub(crate) db: i64, pub(crate) tls: Option<Tls> }
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place { Tcp { host: String, port: u16 }, Unix(PathBuf), Sentinel { sentinels: Vec<(String, u16)>, master: String, username: Option<String>, password: Option<String> }, Cluster { seeds: Vec<(String, u16)> } }
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls { pub(crate) ca: Option<PathBuf>, pub(crate) cert: Option<PathBuf>, pub(crate) key: Option<PathBuf>, pub(crate) verify: bool, pub(crate) check_hostname: bool }
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct ParseHostError;
impl std::fmt::Display for Host { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{:?}", self.place) } }
impl std::str::FromStr for Host { type Err = ParseHostError; fn from_str(t: &str) -> Result<Self, ParseHostError> {
  let (h,p) = t.trim_start_matches("redis://").trim_end_matches("/0").trim_end_matches("/").split_once(':').ok_or(ParseHostError)?;
  Ok(Self { place: Place::Tcp { host: h.into(), port: p.parse().map_err(|_| ParseHostError)? }, username: None, password: None, db: 0, tls: None }) } }
pub fn parse_hosts(t: &str) -> Result<Vec<Host>, ParseHostError> { t.split([' ', ',']).map(str::parse).collect() }
