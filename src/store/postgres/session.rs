//! One connection, on which nothing waits for ever.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::batch::Batch;
use super::failure::Failure;
use super::target::Target;

/// How long making a connection may take, with all that is asked on it first.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long an answer may take. The server gives up earlier (`statement_timeout`), so that this is for one that is silent.
const ANSWERING: Duration = Duration::from_secs(40);
/// How long work on whole tables may take: a new schema, or removing what was deleted.
const WORKING: Duration = Duration::from_secs(1800);

/// How each connection is set. A lock is waited for as long as SQLite waits for one. Statements are planned once, many of them
/// while the list is still empty: so the plans that are best for an empty list, and those that walk along whole indexes for some
/// of their rows, are shut out.
const SETTINGS: &str = "SET lock_timeout = '2s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET client_min_messages = 'warning';
    SET enable_seqscan = off;
    SET enable_mergejoin = off;
    SET max_parallel_workers_per_gather = 0;
    SET jit = off;
    SET plan_cache_mode = 'force_generic_plan';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Values that go with a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A value that goes with a statement, and is its own.
pub(super) type OwnValue<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// Something to write.
pub(super) enum Writing<'a> {
    /// A statement, and its values.
    Statement { sql: &'static str, values: Vec<OwnValue<'a>> },
    /// New rows.
    Rows(Batch<'a>),
}

/// A connection.
pub(super) struct Session {
    // Nothing only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Session {
    /// Connects.
    pub(super) fn open(target: &Target) -> Result<Session, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Network(error.to_string()))?;
        let connecting = async {
            let client = match &target.tls {
                Some(tls) => {
                    let (client, connection) =
                        target.config.connect(MakeRustlsConnect::new(tls.as_ref().clone())).await?;
                    tokio::spawn(connection);
                    client
                }
                None => {
                    let (client, connection) = target.config.connect(NoTls).await?;
                    tokio::spawn(connection);
                    client
                }
            };
            client.batch_execute(SETTINGS).await?;
            Ok(client)
        };
        let client = drive(&runtime, CONNECTING, connecting)?;
        Ok(Session { runtime: Some(runtime), client, statements: HashMap::new() })
    }

    /// Whether the server, or the way to it, is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Sends statements without values, and waits for them all.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.wait(ANSWERING, async { Ok(self.client.batch_execute(sql).await?) })
    }

    /// Does what concerns whole tables, and may take long.
    pub(super) fn run_long(&mut self, sql: &str) -> Result<(), Failure> {
        self.wait(WORKING, async {
            self.client.batch_execute("SET statement_timeout = 0").await?;
            self.client.batch_execute(sql).await?;
            Ok(self.client.batch_execute("SET statement_timeout = '30s'").await?)
        })
    }

    /// Asks for rows.
    pub(super) fn query(&mut self, sql: &str, values: Values) -> Result<Vec<Row>, Failure> {
        self.prepare(sql)?;
        let statement = &self.statements[sql];
        self.wait(ANSWERING, async { Ok(self.client.query(statement, values).await?) })
    }

    /// Begins a transaction and asks for its first rows, with one way to the server and back.
    pub(super) fn begin(&mut self, begin: &str, sql: &str) -> Result<Vec<Row>, Failure> {
        self.prepare(sql)?;
        let statement = &self.statements[sql];
        self.wait(ANSWERING, async {
            let (begun, rows) =
                join(self.client.batch_execute(begin), self.client.query(statement, &[])).await;
            begun?;
            Ok(rows?)
        })
    }

    /// Writes, and tells how many rows that concerned.
    pub(super) fn execute(&mut self, sql: &str, values: Values) -> Result<u64, Failure> {
        self.prepare(sql)?;
        let statement = &self.statements[sql];
        self.wait(ANSWERING, async { Ok(self.client.execute(statement, values).await?) })
    }

    /// Writes in this order, with one way to the server and back for all that is not copied. Within a transaction only: what follows a
    /// statement that fails is sent nevertheless.
    pub(super) fn write(&mut self, writings: &[Writing]) -> Result<(), Failure> {
        for writing in writings {
            self.prepare(&writing.sql())?;
        }
        let together =
            writings.split_inclusive(|writing| matches!(writing, Writing::Rows(batch) if batch.is_large()));
        for together in together {
            match together {
                [before @ .., Writing::Rows(batch)] if batch.is_large() => {
                    self.execute_all(before)?;
                    self.copy(batch)?;
                }
                all => self.execute_all(all)?,
            }
        }
        Ok(())
    }

    fn execute_all(&mut self, writings: &[Writing]) -> Result<(), Failure> {
        let statements: Vec<(&Statement, Vec<&(dyn ToSql + Sync)>)> = writings
            .iter()
            .map(|writing| {
                let values = match writing {
                    Writing::Statement { values, .. } => {
                        values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
                    }
                    Writing::Rows(batch) => batch.arrays(),
                };
                (&self.statements[&*writing.sql()], values)
            })
            .collect();
        self.wait(ANSWERING, async {
            // Each is sent when it is first polled: in the order of the list, as long as that is shorter than 30.
            let all = statements.iter().map(|(statement, values)| self.client.execute(*statement, values));
            for written in join_all(all).await {
                written?;
            }
            Ok(())
        })
    }

    fn copy(&mut self, batch: &Batch) -> Result<(), Failure> {
        let statement = &self.statements[&batch.copy_sql()];
        self.wait(ANSWERING, async {
            let copying = self.client.copy_in(statement).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(copying, &batch.types()));
            for row in batch.rows() {
                writer.as_mut().write_raw(row).await?;
            }
            writer.finish().await?;
            Ok(())
        })
    }

    fn prepare(&mut self, sql: &str) -> Result<(), Failure> {
        if !self.statements.contains_key(sql) {
            let statement = self.wait(ANSWERING, async { Ok(self.client.prepare(sql).await?) })?;
            self.statements.insert(sql.to_owned(), statement);
        }
        Ok(())
    }

    fn wait<Value: Send>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<Value, Failure>> + Send,
    ) -> Result<Value, Failure> {
        match &self.runtime {
            Some(runtime) => drive(runtime, limit, work),
            None => Err(Failure::Late),
        }
    }
}

impl Writing<'_> {
    fn sql(&self) -> Cow<'static, str> {
        match self {
            Writing::Statement { sql, .. } => Cow::Borrowed(sql),
            Writing::Rows(batch) if batch.is_large() => Cow::Owned(batch.copy_sql()),
            Writing::Rows(batch) => Cow::Owned(batch.insert_sql()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Plainly dropping it would wait for its threads, which is forbidden where tasks run. It has none.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for work to be done, but no longer than this.
fn drive<Value: Send>(
    runtime: &Runtime,
    limit: Duration,
    work: impl Future<Output = Result<Value, Failure>> + Send,
) -> Result<Value, Failure> {
    let limited = async { tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::Late)) };
    if Handle::try_current().is_err() {
        return runtime.block_on(limited);
    }
    // On a thread that runs tasks nothing may wait for others: another thread does.
    let waited = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(limited)).join());
    waited.unwrap_or(Err(Failure::Late))
}
