//! Citizens over real sockets, on a service with the real model, journal and log. Agents act through the centre's
//! handle, as the desk does.

mod browser;
mod callbacks;
mod citizen;
mod nodes;
mod queue;
mod service;
