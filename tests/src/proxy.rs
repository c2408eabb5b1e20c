//! Stands between the functions and the services, and breaks the calls that a test tells it to break.
//!
//! Each call has a connection of its own, and is passed on as it came, its `Host` included: that is what the
//! signature covers. So the services take it for the caller's own.

mod call;
mod caller;
mod from;

pub use call::{Call, Service};
pub use from::BrokenFrom;

use call::Request;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than any function waits for an answer (`crates/lambda/src/aws.rs`).
const LATE: Duration = Duration::from_secs(10);

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The service answers that it is at fault itself, and does nothing.
    Unavailable,
    /// The service asks for fewer calls, and does nothing.
    Throttled,
    /// The service answers that the caller may not do this, and does nothing.
    Denied,
    /// The service answers that it cannot read the picture, and does nothing.
    Unreadable,
    /// The connection is reset before the service hears of the call.
    Reset,
    /// The service does what it is asked for; the connection is reset before its answer.
    AnswerLost,
    /// The service does what it is asked for; of its answer only half arrives.
    AnswerCut,
    /// The service does what it is asked for; its answer comes when nobody waits any more.
    Late,
    /// The service does what it is asked for; the function is killed before it reads the answer.
    CallerKilled,
    /// No fault: the call waits until its [`Breaking`] is dropped, and then goes on its way.
    Held,
}

/// How often a call that is held looks whether it may go on.
const HELD: Duration = Duration::from_millis(20);

type Decide = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

struct Watch {
    about: String,
    decide: Decide,
}

#[derive(Default)]
struct State {
    watches: BTreeMap<u64, Watch>,
    next: u64,
    injected: BTreeMap<Fault, usize>,
}

struct Upstreams {
    /// Where S3, DynamoDB and EventBridge are.
    services: String,
    /// Where Rekognition is.
    rekognition: String,
}

/// A running proxy; it ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Calls about something are broken as long as this is kept.
#[must_use]
pub struct Breaking {
    id: u64,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaking")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Drop for Breaking {
    fn drop(&mut self) {
        lock(&self.state).watches.remove(&self.id);
    }
}

impl Proxy {
    /// Starts one on a free port. `services` and `rekognition` are origins such as `http://127.0.0.1:4566`.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start(services: &str, rekognition: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let upstreams = Arc::new(Upstreams {
            services: services.trim_start_matches("http://").to_owned(),
            rekognition: rekognition.trim_start_matches("http://").to_owned(),
        });
        let server = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                while let Ok((client, peer)) = listener.accept().await {
                    let (state, upstreams) = (Arc::clone(&state), Arc::clone(&upstreams));
                    // A caller that has gone away needs no answer.
                    tokio::spawn(async move { serve(client, (peer, address), &state, &upstreams).await });
                }
            }
        });
        Self {
            address,
            state,
            server,
        }
    }

    /// Where callers find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, `decide` is asked about each call whose text contains `about`, such as an owner that only
    /// one test has.
    pub fn break_calls(
        &self,
        about: &str,
        decide: impl FnMut(&Call) -> Option<Fault> + Send + 'static,
    ) -> Breaking {
        let mut state = lock(&self.state);
        state.next += 1;
        let id = state.next;
        state.watches.insert(
            id,
            Watch {
                about: about.to_owned(),
                decide: Box::new(decide),
            },
        );
        Breaking {
            id,
            state: Arc::clone(&self.state),
        }
    }

    /// How many calls have met each fault until now.
    pub fn injected(&self) -> BTreeMap<Fault, usize> {
        lock(&self.state).injected.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A test's `decide` may have panicked: the others go on.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fault that a call meets, and the id of the watch that says so.
fn decide(state: &Mutex<State>, call: &Call) -> Option<(u64, Fault)> {
    let mut state = lock(state);
    let mut watches = state
        .watches
        .iter_mut()
        .filter(|(_, watch)| call.text.contains(&watch.about));
    let (id, fault) = watches.find_map(|(id, watch)| Some((*id, (watch.decide)(call)?)))?;
    *state.injected.entry(fault).or_default() += 1;
    Some((id, fault))
}

/// Passes a call on as it came.
async fn pass(request: &Request, upstream: &str, client: &mut TcpStream) -> io::Result<()> {
    let mut answer = request.send(upstream).await?;
    tokio::io::copy(&mut answer, client).await?;
    client.shutdown().await
}

async fn serve(
    mut client: TcpStream,
    (peer, own): (SocketAddr, SocketAddr),
    state: &Mutex<State>,
    upstreams: &Upstreams,
) -> io::Result<()> {
    let Some(request) = Request::read(&mut client).await? else {
        return Ok(());
    };
    let call = request.call();
    let upstream = if call.service == Service::Rekognition {
        &upstreams.rekognition
    } else {
        &upstreams.services
    };
    let decided = decide(state, &call);
    match decided.map(|(_, fault)| fault) {
        None => pass(&request, upstream, &mut client).await,
        Some(Fault::Held) => {
            while decided.is_some_and(|(id, _)| lock(state).watches.contains_key(&id)) {
                tokio::time::sleep(HELD).await;
            }
            pass(&request, upstream, &mut client).await
        }
        Some(Fault::Unavailable) => client.write_all(&call.service.unavailable()).await,
        Some(Fault::Throttled) => client.write_all(&call.service.throttled()).await,
        Some(Fault::Denied) => client.write_all(&call.service.denied()).await,
        Some(Fault::Unreadable) => client.write_all(&call.service.unreadable()).await,
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

/// All that is left to read.
async fn rest(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}
