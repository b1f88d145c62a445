//! Channel layers on Redis, in the wire format of channels_redis: Narrows nodes and Django processes on one Redis are
//! one system.
