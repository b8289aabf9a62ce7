//! Nodes over real logs: what they promise, and the scenarios of a contact centre that can be decided here.

mod basics;
mod bench;
mod killed;
mod people;
pub(crate) mod redis;
mod scenarios_01;
mod scenarios_12;
mod scenarios_17;
mod sink;
mod speed;

/// The same test over both stores: a body, and its names.
macro_rules! on_both {
    ($($body:ident => $embedded:ident, $redis:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $embedded() {
            if let Some(mut bench) = Bench::new(Kind::Embedded, |_| {}).await {
                $body(&mut bench).await;
                bench.finish().await;
            }
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $redis() {
            if let Some(mut bench) = Bench::new(Kind::Redis, |_| {}).await {
                $body(&mut bench).await;
                bench.finish().await;
            }
        }
    )*};
}
use on_both;
