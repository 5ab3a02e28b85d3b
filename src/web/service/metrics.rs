//! What is counted, for Prometheus: nothing of readers.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::list::Answer;
use crate::model::Status;
use crate::store::Stats;

/// Upper bounds of the latencies' buckets, in seconds.
const LATENCIES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// The counters of a service.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    answers: Family<AnswerLabels, Counter>,
    connections: Gauge,
    notices_waiting: Gauge,
    returns: Family<ReturnLabels, Gauge>,
    readers: Family<StatusLabels, Gauge>,
    confirmations: Gauge,
    alarm: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    answer: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReturnLabels {
    kind: &'static str,
}

impl Metrics {
    /// Counters at zero.
    pub(super) fn new() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("mailmag"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            answers: Family::default(),
            connections: Gauge::default(),
            notices_waiting: Gauge::default(),
            returns: Family::default(),
            readers: Family::default(),
            confirmations: Gauge::default(),
            alarm: Gauge::default(),
        };
        let Metrics {
            registry,
            requests,
            latency,
            answers,
            connections,
            notices_waiting,
            returns,
            readers,
            confirmations,
            alarm,
        } = &mut metrics;
        registry.register("http_requests", "Requests answered, by route and status", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to its answer",
            latency.clone(),
        );
        registry.register("store_answers", "What the list answered", answers.clone());
        registry.register("http_connections", "Open connections", connections.clone());
        registry.register("notices_waiting", "Notices that wait to be sent", notices_waiting.clone());
        registry.register("returns", "What came back of mailings, by kind", returns.clone());
        registry.register("readers", "Readers, by status", readers.clone());
        registry.register(
            "confirmations_in_hour",
            "Confirmations that were queued in the last hour",
            confirmations.clone(),
        );
        registry.register(
            "confirmations_alarm",
            "From how many confirmations in an hour on something is wrong",
            alarm.clone(),
        );
        metrics
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, method: &'static str, route: &Arc<str>, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { method, route: route.clone(), status }).inc();
        self.latency.get_or_create(&RouteLabels { route: route.clone() }).observe(took.as_secs_f64());
    }

    /// Counts what the list answered; none where the store failed.
    pub(super) fn asked(&self, answer: Option<&Answer>) {
        let answer = match answer {
            Some(Answer::Taken) => "taken",
            Some(Answer::Done(_)) => "done",
            Some(Answer::NoSuchToken) => "no such token",
            Some(Answer::NoSuchSubscriber) => "no such subscriber",
            Some(Answer::Refused(_)) => "refused",
            Some(Answer::TooMany(_)) => "too many",
            None => "failed",
        };
        self.answers.get_or_create(&AnswerLabels { answer }).inc();
    }

    /// Notes how it stands with the list at a time.
    pub(super) fn counted(&self, stats: &Stats, at: DateTime<Utc>) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.notices_waiting.set(number(stats.notices_waiting));
        let returns = &stats.returns;
        for (kind, count) in
            [("hard", returns.hard), ("soft", returns.soft), ("complaint", returns.complaints)]
        {
            self.returns.get_or_create(&ReturnLabels { kind }).set(number(count));
        }
        for (_, status) in Status::NAMES {
            let of_status = stats.readers.iter().filter(|(own, _, _)| *own == status);
            let count = of_status.map(|(_, _, count)| count).sum();
            self.readers.get_or_create(&StatusLabels { status: status.name() }).set(number(count));
        }
        let hour_ago = at - TimeDelta::hours(1);
        let lately = stats.confirmations.iter().filter(|(begin, _)| *begin >= hour_ago);
        self.confirmations.set(number(lately.map(|(_, count)| count).sum()));
        self.alarm.set(number(stats.alarm));
    }

    /// All of it as Prometheus reads it (OpenMetrics 1.0).
    pub(super) fn text(&self, connections: usize) -> String {
        self.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        let mut text = String::new();
        // A string takes whatever is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::ledger::ChainEnd;
    use crate::model::Source;
    use crate::store::returns::Returns;

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::new();
        let route: Arc<str> = "/u/TOKEN".into();
        metrics.answered("POST", &route, 200, Duration::from_millis(3));
        metrics.answered("POST", &route, 200, Duration::from_millis(30));
        metrics.asked(Some(&Answer::Taken));
        metrics.asked(None);
        let at = DateTime::from_timestamp(1_764_000_000, 0).expect("a time");
        let stats = Stats {
            readers: vec![(Status::Active, Source::Web, 4), (Status::Active, Source::Import, 3)],
            notices_waiting: 9,
            returns: Returns { hard: 3, soft: 2, complaints: 1 },
            end: ChainEnd { number: 0, digest: [0; 32] },
            confirmations: vec![(at - TimeDelta::minutes(61), 5), (at - TimeDelta::minutes(5), 2)],
            alarm: 1000,
        };
        metrics.counted(&stats, at);
        let text = metrics.text(7);
        for line in [
            "mailmag_http_requests_total{method=\"POST\",route=\"/u/TOKEN\",status=\"200\"} 2",
            "mailmag_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/u/TOKEN\"} 1",
            "mailmag_http_request_duration_seconds_count{route=\"/u/TOKEN\"} 2",
            "mailmag_store_answers_total{answer=\"taken\"} 1",
            "mailmag_store_answers_total{answer=\"failed\"} 1",
            "mailmag_http_connections 7",
            "mailmag_notices_waiting 9",
            "mailmag_returns{kind=\"hard\"} 3",
            "mailmag_returns{kind=\"complaint\"} 1",
            "mailmag_readers{status=\"active\"} 7",
            "mailmag_readers{status=\"pending\"} 0",
            "mailmag_confirmations_in_hour 2",
            "mailmag_confirmations_alarm 1000",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}\n{text}");
        }
    }
}
