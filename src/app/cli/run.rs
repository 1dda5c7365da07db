//! `frontdesk run`: runs the gateway until it is stopped.

mod greeting;
mod signals;
mod systemd;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use frontdesk::clock::SystemClock;
use frontdesk::config::{Config, Loaded, Problems};
use frontdesk::home::{self, Home};
use frontdesk::{Gateway, Running, StartError};
use frontdesk_core::config::ConfigError;
use frontdesk_core::port::Clock;
use frontdesk_runtime::{GatewayHandle, Lifecycle};
use frontdesk_store::row::Author;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::Signal;

use super::{Done, Failure, HomeArgs, config, log, screen};
use signals::Signals;

/// How often histograms are drained; they would grow until the next reader of `/metrics` otherwise.
const UPKEEP: Duration = Duration::from_secs(30);

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// Configuration file [default: frontdesk.toml or frontdesk.jsonc in the home folder, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on, instead of [gateway] host
    #[arg(long)]
    host: Option<String>,
    /// Port to listen on, instead of [gateway] port; 0 chooses a free one
    #[arg(long)]
    port: Option<u16>,
    /// Log at level debug
    #[arg(long, short)]
    verbose: bool,
}

pub fn run(args: RunArgs) -> Done {
    let clock = SystemClock::new();
    frontdesk::descriptors::keep_from_programs();
    // Files of the gateway are private to its user.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let home = Home::find(args.home.home.as_deref(), &super::env)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let done = runtime.block_on(read_and_run(Arc::new(args), &home, clock));
    // After an orderly stop no task is left; after a second signal the tasks that are left are not waited for.
    runtime.shutdown_background();
    done
}

/// Reads the configuration and runs the gateway until it is stopped.
async fn read_and_run(args: Arc<RunArgs>, home: &Home, clock: SystemClock) -> Done {
    // Before the configuration is read: that may run programs that print secrets, which take a while.
    let mut signals = Signals::listen()?;
    let again = (args.clone(), home.clone());
    let read = signals.stop.unless_stopped(move || again.0.read(&again.1, &screen::note)).await?;
    let Some(read) = read else { return Ok(()) };
    let (config, notices) = read?;
    let set_level = log::start(&config.log, home, args.verbose)?;
    for notice in notices {
        tracing::warn!("{notice}");
    }
    frontdesk::descriptors::raise(&config);
    run_until_stopped(&args, config, home, clock, &set_level, signals).await
}

impl RunArgs {
    /// The gateway of this home folder.
    pub fn at(home: HomeArgs, port: Option<u16>) -> Self {
        Self { home, config: None, host: None, port, verbose: false }
    }

    /// Reads the configuration, and returns warnings about it and the home folder. `still_waits` is told what is waited
    /// for.
    fn read(&self, home: &Home, still_waits: &dyn Fn(&str)) -> Result<(Config, Vec<String>), Failure> {
        let mut notices = Vec::new();
        let mut config = match self.config.as_deref() {
            // No home folder is created for a configuration that cannot be used.
            Some(file) => {
                notices.extend(home::check_config(file)?);
                let config = config::load(home, Some(file), still_waits)?.config;
                notices.extend(home.secure()?);
                config
            }
            // A configuration can run programs, so the home folder's owner is checked before it is read.
            None => {
                notices.extend(home.secure()?);
                config::load(home, None, still_waits)?.config
            }
        };
        self.override_in(&mut config);
        Ok((config, notices))
    }

    /// Reads the configuration for a restart. If it is wrong the old one stays in use; a port that was chosen freely
    /// stays the same, because people know it by now.
    fn read_again(&self, home: &Home, before: &Config, port: u16) -> Config {
        let mut config = match self.read(home, &frontdesk::config::log_wait) {
            Ok((config, notices)) => {
                for notice in notices {
                    tracing::warn!("{notice}");
                }
                config
            }
            Err(failure) => {
                tracing::error!(%failure, "the configuration is wrong; the previous one stays in use");
                before.clone()
            }
        };
        if config.gateway.port == 0 {
            config.gateway.port = port;
        }
        config
    }

    /// Reads the configuration for a reload. The permissions are checked as at the start. `written` says whether the one
    /// before had any key: a file that is then gone or empty is one that is being written, or a mistake.
    fn read_for_reload(&self, home: &Home, written: &AtomicBool) -> Result<Loaded, Problems> {
        let checked = match self.config.as_deref() {
            Some(file) => home::check_config(file).map(drop),
            None => home.secure().map(drop),
        };
        checked.map_err(|error| Problems::in_memory([ConfigError::new("", error.to_string())]))?;
        let mut loaded = config::read_again(home, self.config.as_deref())?;
        let is_empty = !loaded.document.has_keys();
        if is_empty && written.load(Ordering::Relaxed) {
            let file = if loaded.file.is_some() { "empty" } else { "gone" };
            let problem = format!(
                "the configuration file is {file}, and a reload would remove every account and permission; if that is \
                 meant, restart the gateway"
            );
            return Err(Problems::in_memory([ConfigError::new("", problem)]));
        }
        written.store(!is_empty, Ordering::Relaxed);
        self.override_in(&mut loaded.config);
        Ok(loaded)
    }

    fn override_in(&self, config: &mut Config) {
        if let Some(host) = &self.host {
            config.gateway.host.clone_from(host);
        }
        if let Some(port) = self.port {
            config.gateway.port = port;
        }
    }
}

/// How the gateway ended in an orderly way.
enum End {
    Stopped,
    /// To be started again, on this port. If its file is wrong by then, this configuration stays in use.
    Restart(Arc<Config>, u16),
}

/// Starts the gateway, and starts it again after each restart, until it is stopped.
async fn run_until_stopped(
    args: &Arc<RunArgs>,
    config: Config,
    home: &Home,
    clock: SystemClock,
    set_level: &log::SetLevel,
    mut signals: Signals,
) -> Done {
    let recorder = recorder()?;
    let mut config = config;
    let mut greeted = false;
    loop {
        let (metrics, set_level) = (recorder.clone(), set_level.clone());
        let (again, file) = ((args.clone(), home.clone()), args.config.clone().or(home.config()?));
        let written = AtomicBool::new(file.is_some());
        let file = file.or_else(|| Some(home.path().join("frontdesk.toml")));
        let running = Gateway::builder()
            .config(config.clone())
            .home(home.path())
            .clock(Arc::new(clock))
            .metrics(Arc::new(move || metrics.render()))
            .obeys_admins()
            .reload_from(Arc::new(move || again.0.read_for_reload(&again.1, &written)), file)
            .on_reload(Arc::new(move |config| set_level(config.log.level)))
            .start()
            .await?;
        if std::mem::replace(&mut greeted, true) {
            tracing::info!(address = %running.address(), "ready again");
        } else {
            let ready = clock.mono().0.as_millis();
            tracing::info!(address = %running.address(), version = env!("CARGO_PKG_VERSION"), "ready in {ready} ms");
            greeting::greet(&running).await?;
        }
        systemd::ready();
        match serve(running, &mut signals, &recorder, &clock).await? {
            End::Stopped => return Ok(()),
            End::Restart(before, port) => {
                let again = (args.clone(), home.clone());
                let read = move || again.0.read_again(&again.1, &before, port);
                match signals.stop.unless_stopped(read).await? {
                    Some(read) => config = read,
                    None => return Ok(()),
                }
            }
        }
    }
}

/// Runs one gateway until it stops, restarts or fails.
async fn serve(
    running: Running,
    signals: &mut Signals,
    recorder: &PrometheusHandle,
    clock: &SystemClock,
) -> Result<End, Failure> {
    let port = running.address().port();
    let end = tokio::select! {
        name = signals.stop.recv() => {
            tracing::info!("{name}: stopping; running turns have {} s to end", running.get_config().runtime.turns.drain_seconds);
            Ok(End::Stopped)
        }
        action = requested(running.handle()) => {
            tracing::info!(?action, "the gateway ends at an admin's request; running turns have {} s to end", running.get_config().runtime.turns.drain_seconds);
            Ok(match action {
                Lifecycle::Stop | Lifecycle::Reload => End::Stopped,
                Lifecycle::Restart => End::Restart(running.get_config(), port),
            })
        }
        cause = running.failed() => {
            tracing::error!(cause, "the gateway cannot go on");
            Err(Failure::new(format!("the gateway cannot go on: {cause}")))
        }
        never = upkeep(recorder, clock) => match never {},
        never = systemd::alive(clock) => match never {},
        never = reload_on(&mut signals.hangup, &running) => match never {},
        never = reload_on_request(&running) => match never {},
    };
    if !matches!(end, Ok(End::Restart(..))) {
        systemd::stopping();
        // A reload that waits for one would delay the end, and the program would outlive it.
        frontdesk::config::end_secret_commands();
    }
    tokio::select! {
        () = running.stop() => {
            tracing::info!("stopped");
            end
        }
        name = signals.stop.recv() => Err(Failure::new(format!(
            "a second {name}: the gateway ended at once. Accepted messages are kept and answered after the next start"
        ))),
    }
}

/// Waits until an admin asks for a stop or a restart.
async fn requested(handle: &GatewayHandle) -> Lifecycle {
    let mut requests = handle.lifecycle();
    loop {
        if let Some(request @ (Lifecycle::Stop | Lifecycle::Restart)) = *requests.borrow_and_update() {
            return request;
        }
        if requests.changed().await.is_err() {
            // The gateway has ended, so no request can come any more.
            std::future::pending::<()>().await;
        }
    }
}

/// One recorder for the process, read by `/metrics`.
fn recorder() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| Failure::new(format!("cannot record metrics: {error}")))
}

async fn upkeep(recorder: &PrometheusHandle, clock: &SystemClock) -> Infallible {
    loop {
        clock.sleep_until(clock.mono() + UPKEEP).await;
        recorder.run_upkeep();
    }
}

/// Reloads the configuration at each SIGHUP. The log says what came of it.
async fn reload_on(hangup: &mut Signal, running: &Running) -> Infallible {
    let author = Author { name: "SIGHUP".to_owned(), via: "signal" };
    loop {
        if hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        tracing::info!("SIGHUP: the configuration is read again");
        if let Err(error) = running.reload_by(&author).await {
            tracing::debug!(%error, "SIGHUP: the configuration was not reloaded");
        }
    }
}

/// Reloads the configuration whenever an admin asks for it in a chat. The log says what came of it.
async fn reload_on_request(running: &Running) -> Infallible {
    let author = Author { name: "/gateway reload".to_owned(), via: "chat" };
    let mut requests = running.handle().lifecycle();
    loop {
        if requests.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if *requests.borrow_and_update() == Some(Lifecycle::Reload)
            && let Err(error) = running.reload_by(&author).await
        {
            tracing::debug!(%error, "/gateway reload: the configuration was not reloaded");
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(problems) => problems.into(),
            StartError::Home(error) => error.into(),
            StartError::Runtime(frontdesk_runtime::StartError::Config(error)) => {
                Failure::config(error.to_string())
            }
            StartError::Agent(error) => Failure::config(error.to_string()),
            other => Failure::new(other.to_string()),
        }
    }
}
