//! HTTP plumbing that every route uses: it reads requests and writes responses, and knows no route.

pub(crate) mod access_log;
pub(crate) mod body;
pub(crate) mod cursor;
pub(crate) mod owner;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod responses;
pub(crate) mod security_headers;
pub(crate) mod time_limit;
