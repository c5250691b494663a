//! The contract on a real RabbitMQ, and what holds for it alone.

use std::sync::Arc;

use crate::broker::contract::Vhost;
use crate::broker_contract;

broker_contract!({
    let vhost = Vhost::make();
    (Arc::new(vhost.broker().await), vhost)
});
