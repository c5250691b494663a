//! `Vhost`: a RabbitMQ of one's own, as far as a test can see.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// Of users that live as long as a test, on a broker that lives as long as all tests.
const PASSWORD: &str = "a-password-for-tests";

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A virtual host of the test's RabbitMQ. Dropping it removes it with all its queues.
#[derive(Debug)]
pub struct Vhost {
    /// Its name.
    pub name: String,
    /// How to connect to it.
    pub url: String,
    api: String,
    user: String,
    /// How users with rights of their own connect to it, by what they are.
    urls: BTreeMap<String, String>,
    authorization: String,
    agent: ureq::Agent,
}

impl Vhost {
    /// Makes one that nobody else has, on the node that all tests share.
    pub fn new() -> Self {
        Self::on(&variable("FUNCATRON_TEST_BROKER"), &variable("FUNCATRON_TEST_BROKER_API"))
    }

    /// Makes one on the node that is reached like this.
    pub fn on(broker: &str, api: &str) -> Self {
        let (credentials, address) = api.trim_start_matches("http://").split_once('@').unwrap();
        let user = credentials.split(':').next().unwrap().to_owned();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let name = format!("test-{since}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build();
        let vhost = Self {
            url: format!("{}/{name}", broker.trim_end_matches('/')),
            api: format!("http://{address}/api"),
            authorization: format!("Basic {}", BASE64_STANDARD.encode(credentials)),
            agent: config.into(),
            name,
            user,
            urls: BTreeMap::new(),
        };
        vhost.create();
        vhost
    }

    /// Makes it again.
    pub fn create(&self) {
        self.put(&format!("/vhosts/{}", self.name), &json!({}));
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.put(&format!("/permissions/{}/{}", self.name, self.user), &all);
    }

    /// Makes a user with these rights, for whoever is such a one.
    pub fn add_user(&mut self, role: &str, permissions: &Value) {
        let user = self.user_name(role);
        self.put(&format!("/users/{user}"), &json!({ "password": PASSWORD, "tags": "" }));
        self.put(&format!("/permissions/{}/{user}", self.name), permissions);
        let (_, address) = self.url.split_once('@').unwrap();
        let url = format!("amqp://{user}:{PASSWORD}@{address}");
        self.urls.insert(role.to_owned(), url);
    }

    /// How one who is this connects.
    pub fn url_of(&self, role: &str) -> &str {
        self.urls.get(role).unwrap_or(&self.url)
    }

    fn user_name(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    /// Asks the management API.
    pub fn api(&self, path: &str) -> Value {
        let request = self.agent.get(format!("{}{path}", self.api));
        let mut response = request.header("authorization", &self.authorization).call().unwrap();
        serde_json::from_slice(&response.body_mut().read_to_vec().unwrap()).unwrap()
    }

    /// The names of its queues that begin like this, in order.
    pub fn queues(&self, beginning: &str) -> Vec<String> {
        let queues = self.api(&format!("/queues/{}?columns=name", self.name));
        let names = queues.as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(beginning)).map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Sets something over the management API.
    pub fn put(&self, path: &str, value: &Value) {
        let request = self.agent.put(format!("{}{path}", self.api));
        let request = request.header("authorization", &self.authorization);
        request.content_type("application/json").send(value.to_string()).unwrap();
    }

    /// Does something over the management API, and gives what it says.
    pub fn post(&self, path: &str, value: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.api));
        let request = request.header("authorization", &self.authorization);
        let mut response = request.content_type("application/json").send(value.to_string()).unwrap();
        serde_json::from_slice(&response.body_mut().read_to_vec().unwrap()).unwrap_or_default()
    }

    /// Removes something over the management API; what is not there need not be removed.
    pub fn delete(&self, path: &str) {
        let request = self.agent.delete(format!("{}{path}", self.api));
        match request.header("authorization", &self.authorization).call() {
            Ok(_) | Err(ureq::Error::StatusCode(404)) => {}
            Err(error) => eprintln!("{path} is not deleted: {error}"),
        }
    }
}

impl Default for Vhost {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        self.urls.keys().for_each(|role| self.delete(&format!("/users/{}", self.user_name(role))));
        self.delete(&format!("/vhosts/{}", self.name));
    }
}

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_unset| panic!("{name} is not set: run `make unit`, which starts a RabbitMQ"))
}
