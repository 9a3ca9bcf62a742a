//! One line on a terminal that says what cordon is at, once the work has lasted for a while.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long work may last before anything is shown: what is done sooner needs no word.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line moves, so that it is seen that work goes on.
const TICK: Duration = Duration::from_millis(100);

/// The line; it is taken away when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    /// Ends the wait of the thread when it is dropped.
    done: Option<Sender<()>>,
    waiting: Option<JoinHandle<()>>,
}

impl Progress {
    /// A line that shows itself if it lives long enough.
    pub(super) fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::default_spinner());
        let (done, ended) = channel();
        let shown = bar.clone();
        let wait = move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        };
        // Where no thread can be started, nothing is shown.
        let waiting = std::thread::Builder::new().spawn(wait).ok();
        Progress { bar, done: Some(done), waiting }
    }

    /// Says what is being done now.
    pub(super) fn say(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.waiting.take() {
            // A thread that only waits leaves nothing behind, however it ended.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
