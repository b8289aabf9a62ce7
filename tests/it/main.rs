//! The black-box and whole-tree tests, in one binary.

// A test may unwrap; clippy takes helpers outside a test function for the program.
#![allow(clippy::unwrap_used)]

mod accounts;
mod attacks;
mod authenticator;
mod backup;
mod backup_nodes;
mod bad_input;
mod canary;
mod canary_rare;
mod canary_secrets;
mod canary_trace;
mod centre;
mod chat;
mod client;
mod collector;
mod commands;
mod desk;
mod desk_chat;
mod desk_client;
mod documents;
mod drain;
mod embed;
mod gate;
mod generation;
mod harness;
mod keys;
mod layout;
mod metrics;
mod packaging;
mod per_network;
mod privacy;
mod quality;
mod reveal;
mod rights;
mod schema;
mod storm;
mod studio;
mod studio_client;
mod studio_home;
mod studio_import;
mod studio_insight;
mod studio_killed;
mod studio_nodes;
mod studio_work;
mod switches;
mod telemetry;
mod tls;
mod websites;
