//! A proxy between the functions and the AWS services, for fault injection.
//!
//! Each call has its own connection, and is forwarded unchanged, including its `Host`, which the signature covers. So the
//! services accept it as the caller's own. Each function has its own address here, so that the proxy knows the caller.

mod call;
mod caller;
mod dynamodb;
mod injection;

pub use call::{Call, Service};
pub use injection::Injection;

use crate::Stack;
use call::Request;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than any function waits for an answer (`crates/aws`).
const LATE: Duration = Duration::from_secs(30);

/// A fault that can be injected into a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The service answers with an internal error, and does nothing.
    Unavailable,
    /// The service throttles the call, and does nothing.
    Throttled,
    /// The service answers that the caller lacks the permission, and does nothing.
    Denied,
    /// The service answers that it cannot read the picture, and does nothing.
    Unreadable,
    /// DynamoDB answers that the call conflicts with a transaction, and does nothing.
    TransactionConflict,
    /// DynamoDB does not process the second half of the keys of a BatchGetItem.
    UnprocessedKeys,
    /// DynamoDB repeats its earlier answer to the same request, like an index that lags behind its table.
    Stale,
    /// The connection is reset before the service receives the call.
    Reset,
    /// The service processes the call; the connection is reset before the answer.
    AnswerLost,
    /// The service processes the call; only half of the answer arrives.
    AnswerCut,
    /// The service processes the call; the answer comes after the caller's timeout.
    Late,
    /// The service processes the call; the function is killed before it reads the answer.
    CallerKilled,
    /// The call waits until its [`Injection`] is dropped, and is forwarded then.
    Held,
}

/// How often a held call checks whether its [`Injection`] was dropped.
const HELD: Duration = Duration::from_millis(20);

type Decide = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

struct Watch {
    functions: BTreeSet<String>,
    about: String,
    decide: Decide,
    /// The first answers to requests that got [`Fault::Stale`].
    answers: Vec<(Value, Vec<u8>)>,
}

impl Watch {
    fn is_about(&self, call: &Call) -> bool {
        self.functions.contains(&call.function) && call.text.contains(&self.about)
    }

    fn answer_to(&self, request: &Value) -> Option<Vec<u8>> {
        let answer = self.answers.iter().find(|(answered, _)| answered == request);
        answer.map(|(_, answer)| answer.clone())
    }
}

#[derive(Default)]
struct State {
    watches: BTreeMap<u64, Watch>,
    next: u64,
    injected: BTreeMap<Fault, usize>,
}

struct Upstreams {
    /// The address of S3, EventBridge and Step Functions.
    services: String,
    dynamodb: String,
    rekognition: String,
}

impl Upstreams {
    fn of(&self, service: Service) -> &str {
        match service {
            Service::S3 | Service::EventBridge | Service::StepFunctions => &self.services,
            Service::DynamoDb => &self.dynamodb,
            Service::Rekognition => &self.rekognition,
        }
    }
}

/// A running proxy. It stops when dropped.
pub struct Proxy {
    state: Arc<Mutex<State>>,
    upstreams: Arc<Upstreams>,
    /// The address and the task of each function's server.
    servers: Mutex<BTreeMap<String, (SocketAddr, JoinHandle<()>)>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").finish_non_exhaustive()
    }
}

impl Proxy {
    /// Makes a proxy in front of a stack's services and a Rekognition such as `http://127.0.0.1:4568`.
    pub fn new(stack: &Stack, rekognition: &str) -> Self {
        Self {
            state: Arc::default(),
            upstreams: Arc::new(Upstreams {
                services: authority(&stack.endpoint),
                dynamodb: authority(&stack.dynamodb_url),
                rekognition: authority(rekognition),
            }),
            servers: Mutex::default(),
        }
    }

    /// The origin to which a function has to send its calls. The first call starts a server on a free port.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn url_for(&self, function: &str) -> String {
        let known = lock(&self.servers).get(function).map(|(address, _)| *address);
        let address = match known {
            Some(address) => address,
            None => self.serve(function).await,
        };
        format!("http://{address}")
    }

    async fn serve(&self, function: &str) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn({
            let (function, state, upstreams) = (
                function.to_owned(),
                Arc::clone(&self.state),
                Arc::clone(&self.upstreams),
            );
            async move {
                while let Ok((client, peer)) = listener.accept().await {
                    let (function, state, upstreams) =
                        (function.clone(), Arc::clone(&state), Arc::clone(&upstreams));
                    // A caller that has gone away needs no answer.
                    tokio::spawn(async move {
                        serve(client, (peer, address), &function, &state, &upstreams).await
                    });
                }
            }
        });
        lock(&self.servers).insert(function.to_owned(), (address, server));
        address
    }

    /// How many calls have got each fault until now.
    pub fn injected(&self) -> BTreeMap<Fault, usize> {
        lock(&self.state).injected.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for (_, server) in lock(&self.servers).values() {
            server.abort();
        }
    }
}

fn authority(origin: &str) -> String {
    origin.trim_start_matches("http://").to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The `decide` of one test may have panicked: the other tests continue.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fault that a call gets, and the id of the watch that injects it.
fn decide(state: &Mutex<State>, call: &Call) -> Option<(u64, Fault)> {
    let mut state = lock(state);
    let mut watches = state.watches.iter_mut().filter(|(_, watch)| watch.is_about(call));
    let (id, fault) = watches.find_map(|(id, watch)| Some((*id, (watch.decide)(call)?)))?;
    *state.injected.entry(fault).or_default() += 1;
    Some((id, fault))
}

/// Forwards a call unchanged.
async fn forward(request: &Request, upstream: &str, client: &mut TcpStream) -> io::Result<()> {
    let mut answer = request.send(upstream).await?;
    tokio::io::copy(&mut answer, client).await?;
    client.shutdown().await
}

async fn serve(
    mut client: TcpStream,
    (peer, own): (SocketAddr, SocketAddr),
    function: &str,
    state: &Mutex<State>,
    upstreams: &Upstreams,
) -> io::Result<()> {
    let Some(request) = Request::read(&mut client).await? else {
        return Ok(());
    };
    let call = request.call(function);
    let upstream = upstreams.of(call.service);
    let decided = decide(state, &call);
    match decided.map(|(_, fault)| fault) {
        None => forward(&request, upstream, &mut client).await,
        Some(Fault::Held) => {
            while decided.is_some_and(|(id, _)| lock(state).watches.contains_key(&id)) {
                tokio::time::sleep(HELD).await;
            }
            forward(&request, upstream, &mut client).await
        }
        Some(Fault::Unavailable) => client.write_all(&call.service.unavailable()).await,
        Some(Fault::Throttled) => client.write_all(&call.service.throttled()).await,
        Some(Fault::Denied) => client.write_all(&call.service.denied()).await,
        Some(Fault::Unreadable) => client.write_all(&call.service.unreadable()).await,
        Some(Fault::TransactionConflict) => client.write_all(&dynamodb::conflict(&request)).await,
        Some(Fault::UnprocessedKeys) => {
            let answer = request.answer(upstream).await?;
            client
                .write_all(&dynamodb::leave_keys_out(&request, &answer))
                .await
        }
        Some(Fault::Stale) => {
            let watch = decided.map(|(id, _)| id).unwrap_or_default();
            let answer = stale_answer(state, watch, &request, upstream).await?;
            client.write_all(&answer).await
        }
        Some(Fault::Reset) => client.set_zero_linger(),
        Some(Fault::AnswerLost) => {
            request.answer(upstream).await?;
            client.set_zero_linger()
        }
        Some(Fault::AnswerCut) => {
            let answer = request.answer(upstream).await?;
            client.write_all(&answer[..answer.len() / 2]).await
        }
        Some(Fault::Late) => {
            let answer = request.answer(upstream).await?;
            tokio::time::sleep(LATE).await;
            client.write_all(&answer).await
        }
        Some(Fault::CallerKilled) => {
            request.answer(upstream).await?;
            caller::kill(peer, own)
        }
    }
}

/// The answer to this request, or the first answer if the request came before during the same injection.
async fn stale_answer(
    state: &Mutex<State>,
    watch: u64,
    request: &Request,
    upstream: &str,
) -> io::Result<Vec<u8>> {
    // Compared as JSON: the SDK writes the members of an object in any order.
    let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let before = lock(state)
        .watches
        .get(&watch)
        .and_then(|watch| watch.answer_to(&asked));
    if let Some(answer) = before {
        return Ok(answer);
    }
    let answer = request.answer(upstream).await?;
    if let Some(watch) = lock(state).watches.get_mut(&watch) {
        watch.answers.push((asked, answer.clone()));
    }
    Ok(answer)
}

/// Reads to the end.
async fn rest(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}
