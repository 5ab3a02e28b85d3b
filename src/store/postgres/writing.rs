//! What is written: every row of a kind at once.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;

use super::batch::Batch;
use super::rows::{self, Read};
use super::session::{OwnValue, Session, Writing};
use crate::list::Notice;
use crate::list::ledger::{Opening, Sealed};
use crate::store::database::{
    Changes, Ended, ImportRecord, NoticeRow, ReaderRow, Settlement, micros, tags_text,
};

const FORGET: [&str; 8] = [
    "DELETE FROM ledger_details d USING unnest($1::bigint[], $2::bigint[]) AS f (reader, before), ledger l
     WHERE l.subscriber = f.reader AND l.number < f.before AND d.number = l.number",
    "DELETE FROM ledger_ips i USING unnest($1::bigint[], $2::bigint[]) AS f (reader, before), ledger l
     WHERE l.subscriber = f.reader AND l.number < f.before AND i.number = l.number",
    "DELETE FROM tokens WHERE subscriber = ANY ($1::bigint[])",
    "DELETE FROM notices WHERE subscriber = ANY ($1::bigint[])",
    // What a server said may name the reader.
    "UPDATE deliveries SET reply = NULL
     WHERE mailing IN (SELECT id FROM mailings) AND subscriber = ANY ($1::bigint[])",
    "DELETE FROM returns WHERE subscriber = ANY ($1::bigint[])",
    "DELETE FROM histories WHERE subscriber = ANY ($1::bigint[])",
    "DELETE FROM subscribers WHERE id = ANY ($1::bigint[])",
];

const DROP_TOKENS: &str =
    "DELETE FROM tokens t USING unnest($1::bigint[], $2::text[]) AS d (subscriber, kind)
     WHERE t.subscriber = d.subscriber AND t.kind = d.kind AND t.used IS NULL";

const CHANGE_READERS: &str = "UPDATE subscribers s SET sameness = r.sameness, address = r.address,
         name = r.name, status = r.status, source = r.source, language = r.language, tags = r.tags,
         changed = r.changed, confirmation_mailed = r.confirmation_mailed, links_mailed = r.links_mailed,
         waiting_address = r.waiting_address, waiting_until = r.waiting_until,
         returns_until = r.returns_until, reason = r.reason, import = r.import
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::bigint[], $14::bigint[],
         $15::text[], $16::bigint[])
         AS r (id, sameness, address, name, status, source, language, tags, changed, confirmation_mailed,
         links_mailed, waiting_address, waiting_until, returns_until, reason, import)
     WHERE s.id = r.id";

const KEEP_TOKENS: &str = "INSERT INTO tokens (digest, kind, subscriber, until, used)
     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
     ON CONFLICT (digest) DO UPDATE SET used = excluded.used";

const KEEP_NOTICES: &str = "INSERT INTO notices (id, subscriber, kind, address, language, charset, nonce,
         unsubscribe_nonce, created, due, epoch, attempts)
     SELECT *, created, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
         $6::text[], $7::bytea[], $8::bytea[], $9::bigint[])
         AS n (id, subscriber, kind, address, language, charset, nonce, unsubscribe_nonce, created)";

const KEEP_BARRED: &str =
    "INSERT INTO barred (digest) SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING";

const KEEP_WORDINGS: &str =
    "INSERT INTO wordings (digest, text) SELECT * FROM unnest($1::bytea[], $2::text[])
     ON CONFLICT DO NOTHING";

const KEEP_ASKED: &str = "INSERT INTO asked (network, address, at)
     SELECT network, address, max(at) FROM unnest($1::text[], $2::bytea[], $3::bigint[]) AS a (network, address, at)
     GROUP BY network, address
     ON CONFLICT (network, address) DO UPDATE SET at = excluded.at";

const KEEP_CONFIRMATIONS: &str = "INSERT INTO confirmations AS c (at, number)
     SELECT at, sum(number)::bigint FROM unnest($1::bigint[], $2::bigint[]) AS n (at, number) GROUP BY at
     ON CONFLICT (at) DO UPDATE SET number = c.number + excluded.number";

const KEEP_IMPORTS: &str = "INSERT INTO imports (id, at, entry, source_name, file_name, taken, undone)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
     ON CONFLICT (id) DO UPDATE SET taken = excluded.taken, undone = excluded.undone";

const KEEP_HEADS: &str = "UPDATE heads SET number = $1, digest = $2, seal = $3, next_subscriber = $4,
     next_notice = $5, next_import = $6";

/// Keeps changes. Readers from the number `next` on are new.
pub(super) fn apply(session: &mut Session, changes: &Changes, next: i64) -> Read<()> {
    let mut writings = Vec::new();
    forget(changes, &mut writings);
    keep_readers(&changes.readers, next, &mut writings);
    keep_tokens(changes, &mut writings);
    keep_notices(&changes.notices, &mut writings);
    keep_barred_and_wordings(changes, &mut writings);
    keep_ledger(&changes.entries, &mut writings);
    keep_counts(changes, &mut writings);
    keep_imports(&changes.imports, &mut writings);
    let heads = &changes.heads;
    writings.push(Writing::Statement {
        sql: KEEP_HEADS,
        values: vec![
            Box::new(heads.chain.number),
            Box::new(&heads.chain.digest[..]),
            Box::new(&heads.seal[..]),
            Box::new(heads.next_subscriber),
            Box::new(heads.next_notice),
            Box::new(heads.next_import),
        ],
    });
    session.write(&writings)
}

fn forget<'a>(changes: &'a Changes, writings: &mut Vec<Writing<'a>>) {
    let forgotten = &changes.forgotten;
    if !forgotten.is_empty() {
        let readers = || column(forgotten, |(reader, _)| reader.0);
        for (at, sql) in FORGET.into_iter().enumerate() {
            let mut values = vec![readers()];
            if at < 2 {
                values.push(column(forgotten, |(_, before)| *before));
            }
            writings.push(Writing::Statement { sql, values });
        }
    }
    let dropped = &changes.dropped;
    keep(writings, DROP_TOKENS, dropped, |dropped| {
        vec![column(dropped, |(reader, _)| reader.0), column(dropped, |(_, kind)| kind.name())]
    });
}

/// Changes those who are there, and adds the new ones: who comes may have an address that another has just left.
fn keep_readers<'a>(rows: &'a [ReaderRow], next: i64, writings: &mut Vec<Writing<'a>>) {
    let (new, known): (Vec<&ReaderRow>, Vec<&ReaderRow>) =
        rows.iter().partition(|row| row.reader.subscriber.id.0 >= next);
    if !known.is_empty() {
        let changed = Batch::new("subscribers", known.len());
        let changed = told(changed, &known)
            .numbers("changed", known.iter().map(|row| micros(row.reader.subscriber.changed)));
        writings
            .push(Writing::Statement { sql: CHANGE_READERS, values: lasting(changed, &known).into_values() });
    }
    let added = Batch::new("subscribers", new.len());
    let added = told(added, &new)
        .numbers("created", new.iter().map(|row| micros(row.reader.subscriber.created)))
        .numbers("changed", new.iter().map(|row| micros(row.reader.subscriber.changed)))
        .octets("unsubscribe_nonce", new.iter().map(|row| &row.reader.unsubscribe.0[..]))
        .octets("unsubscribe_digest", new.iter().map(|row| &row.unsubscribe.0[..]));
    add(writings, lasting(added, &new));
}

/// With who he is, and how it stands with him.
fn told<'a>(batch: Batch<'a>, rows: &[&'a ReaderRow]) -> Batch<'a> {
    let readers = || rows.iter().map(|row| &row.reader.subscriber);
    batch
        .numbers("id", readers().map(|reader| reader.id.0))
        .texts("sameness", readers().map(|reader| Cow::Owned(reader.address.sameness())))
        .texts("address", readers().map(|reader| Cow::Borrowed(reader.address.as_str())))
        .texts("name", readers().map(|reader| reader.name.as_deref().map(text)))
        .texts("status", readers().map(|reader| Cow::Borrowed(reader.status.name())))
        .texts("source", readers().map(|reader| Cow::Borrowed(reader.source.name())))
        .texts("language", readers().map(|reader| Cow::Borrowed(reader.language.tag())))
        .texts("tags", readers().map(|reader| Cow::Owned(tags_text(&reader.tags))))
}

/// With what is kept beside that.
fn lasting<'a>(batch: Batch<'a>, rows: &[&'a ReaderRow]) -> Batch<'a> {
    let readers = || rows.iter().map(|row| &row.reader);
    let waiting = || readers().map(|reader| reader.waiting.as_ref());
    batch
        .numbers("confirmation_mailed", readers().map(|reader| reader.confirmation_mailed.map(micros)))
        .numbers("links_mailed", readers().map(|reader| reader.links_mailed.map(micros)))
        .texts(
            "waiting_address",
            waiting().map(|waiting| waiting.map(|waiting| Cow::Borrowed(waiting.address.as_str()))),
        )
        .numbers("waiting_until", waiting().map(|waiting| waiting.map(|waiting| micros(waiting.until))))
        .numbers("returns_until", readers().map(|reader| reader.returns_until.map(micros)))
        .texts("reason", readers().map(|reader| reader.reason.as_deref().map(text)))
        .numbers("import", readers().map(|reader| reader.import))
}

fn keep_tokens<'a>(changes: &'a Changes, writings: &mut Vec<Writing<'a>>) {
    keep(writings, KEEP_TOKENS, &changes.tokens, |tokens| {
        vec![
            column(tokens, |token| &token.digest.0[..]),
            column(tokens, |token| token.kind.name()),
            column(tokens, |token| token.subscriber.0),
            column(tokens, |token| token.until.map(micros)),
            column(tokens, |token| token.used.map(micros)),
        ]
    });
}

fn keep_notices<'a>(notices: &'a [NoticeRow], writings: &mut Vec<Writing<'a>>) {
    keep(writings, KEEP_NOTICES, notices, |rows| {
        vec![
            column(rows, |row| row.id),
            column(rows, |row| row.notice.subscriber.0),
            column(rows, |row| row.notice.kind.name()),
            column(rows, |row| row.notice.to.as_str()),
            column(rows, |row| row.notice.language.tag()),
            column(rows, |row| row.notice.charset.as_deref().map(text)),
            column(rows, |row| &row.notice.nonce.0[..]),
            column(rows, |row| row.notice.unsubscribe.as_ref().map(|nonce| &nonce.0[..])),
            column(rows, |row| micros(row.created)),
        ]
    });
}

fn keep_barred_and_wordings<'a>(changes: &'a Changes, writings: &mut Vec<Writing<'a>>) {
    keep(writings, KEEP_BARRED, &changes.barred, |digests| vec![column(digests, |digest| &digest[..])]);
    keep(writings, KEEP_WORDINGS, &changes.wordings, |wordings| {
        vec![column(wordings, |(digest, _)| &digest[..]), column(wordings, |(_, words)| text(words))]
    });
}

fn keep_ledger<'a>(sealed: &'a [Sealed], writings: &mut Vec<Writing<'a>>) {
    let entries = || sealed.iter().map(|sealed| &sealed.entry);
    let batch = Batch::new("ledger", sealed.len())
        .numbers("number", entries().map(|entry| entry.number))
        .numbers("at", entries().map(|entry| micros(entry.at)))
        .texts("kind", entries().map(|entry| Cow::Borrowed(entry.kind.name())))
        .numbers("subscriber", entries().map(|entry| entry.subscriber.map(|reader| reader.0)))
        .texts("status", entries().map(|entry| entry.status.map(|status| Cow::Borrowed(status.name()))))
        .octets("details", entries().map(|entry| &entry.details[..]))
        .octets("ip", entries().map(|entry| entry.ip.as_ref().map(|octets| &octets[..])))
        .octets("previous", entries().map(|entry| &entry.previous[..]))
        .octets("digest", entries().map(|entry| &entry.digest[..]));
    add(writings, batch);
    keep_openings("ledger_details", sealed, |sealed| sealed.details.as_ref(), writings);
    keep_openings("ledger_ips", sealed, |sealed| sealed.ip.as_ref(), writings);
}

fn keep_openings<'a>(
    table: &'static str,
    entries: &'a [Sealed],
    opening: impl Fn(&'a Sealed) -> Option<&'a Opening>,
    writings: &mut Vec<Writing<'a>>,
) {
    let openings: Vec<(i64, &Opening)> =
        entries.iter().filter_map(|sealed| Some((sealed.entry.number, opening(sealed)?))).collect();
    let batch = Batch::new(table, openings.len())
        .numbers("number", openings.iter().map(|(number, _)| *number))
        .octets("salt", openings.iter().map(|(_, opening)| &opening.salt[..]))
        .texts("text", openings.iter().map(|(_, opening)| text(&opening.text)));
    add(writings, batch);
}

fn keep_counts<'a>(changes: &'a Changes, writings: &mut Vec<Writing<'a>>) {
    keep(writings, KEEP_ASKED, &changes.asked, |asked| {
        vec![
            column(asked, |asked| asked.network.as_str()),
            column(asked, |asked| &asked.address[..]),
            column(asked, |asked| micros(asked.at)),
        ]
    });
    keep(writings, KEEP_CONFIRMATIONS, &changes.confirmations, |counted| {
        vec![column(counted, |(at, _)| micros(*at)), column(counted, |(_, number)| *number)]
    });
}

fn keep_imports<'a>(imports: &'a [ImportRecord], writings: &mut Vec<Writing<'a>>) {
    keep(writings, KEEP_IMPORTS, imports, |records| {
        vec![
            column(records, |record| record.id),
            column(records, |record| micros(record.at)),
            column(records, |record| record.entry),
            column(records, |record| text(&record.source_name)),
            column(records, |record| text(&record.file_name)),
            column(records, |record| record.taken as i64),
            column(records, |record| record.undone.map(micros)),
        ]
    });
}

/// Adds rows, if there are any.
fn add<'a>(writings: &mut Vec<Writing<'a>>, batch: Batch<'a>) {
    if !batch.is_empty() {
        writings.push(Writing::Rows(batch));
    }
}

/// Adds a statement that keeps rows, if there are any.
pub(super) fn keep<'a, Item>(
    writings: &mut Vec<Writing<'a>>,
    sql: &'static str,
    rows: &'a [Item],
    values: impl FnOnce(&'a [Item]) -> Vec<OwnValue<'a>>,
) {
    if !rows.is_empty() {
        writings.push(Writing::Statement { sql, values: values(rows) });
    }
}

/// One value of each row, as an array.
pub(super) fn column<'a, Item, Value>(
    rows: impl IntoIterator<Item = Item>,
    value: impl Fn(Item) -> Value,
) -> OwnValue<'a>
where
    Value: ToSql + Sync + Send + 'a,
{
    Box::new(rows.into_iter().map(value).collect::<Vec<Value>>())
}

/// A text as PostgreSQL takes it: it knows no NUL, and no name and no reason has one.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

pub(super) fn claim_notices(
    session: &mut Session,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    most: usize,
) -> Read<Vec<(Notice, i64)>> {
    let sql = "UPDATE notices n SET leased_until = $2, epoch = epoch + 1, attempts = attempts + 1
         FROM (SELECT id FROM notices WHERE settled IS NULL AND due <= $1
               AND (leased_until IS NULL OR leased_until <= $1)
               ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED) c
         WHERE n.id = c.id
         RETURNING n.id, kind, address, language, charset, nonce, unsubscribe_nonce, created, attempts, epoch";
    let claimed = session.query(sql, &[&micros(at), &micros(until), &(most as i64)])?;
    let mut claimed = claimed.iter().map(rows::notice).collect::<Read<Vec<_>>>()?;
    claimed.sort_by_key(|(notice, _)| notice.id);
    Ok(claimed)
}

pub(super) fn settle_notice(
    session: &mut Session,
    id: i64,
    epoch: i64,
    settlement: &Settlement,
) -> Read<bool> {
    let settled = settlement.due.is_none().then(|| micros(settlement.at));
    let sql = "UPDATE notices SET due = coalesce($3, due), settled = $4, was_sent = $5, reply = $6, leased_until = NULL
         WHERE id = $1 AND epoch = $2 AND settled IS NULL";
    let due = settlement.due.map(micros);
    let was_sent = settled.map(|_| settlement.was_sent);
    let reply = text(&settlement.reply);
    Ok(session.execute(sql, &[&id, &epoch, &due, &settled, &was_sent, &reply])? == 1)
}

pub(super) fn shorten(session: &mut Session, before: DateTime<Utc>) -> Read<Option<i64>> {
    // Entries come in the order of their times, but for clocks that were put back: what is told must hold for all of
    // them, so everything up to the last old one goes.
    let sql = "SELECT max(i.number) FROM ledger_ips i JOIN ledger l ON l.number = i.number WHERE l.at < $1";
    let found = session.query(sql, &[&micros(before)])?;
    let last: Option<i64> = found.first().map(|row| rows::get(row, 0)).transpose()?.flatten();
    if let Some(last) = last {
        session.execute("DELETE FROM ledger_ips WHERE number <= $1", &[&last])?;
    }
    Ok(last)
}

pub(super) fn tidy(session: &mut Session, ended: &Ended) -> Read<()> {
    session.execute("DELETE FROM tokens WHERE until < $1", &[&micros(ended.tokens)])?;
    session.execute("DELETE FROM asked WHERE at < $1", &[&micros(ended.asked)])?;
    session.execute("DELETE FROM confirmations WHERE at < $1", &[&micros(ended.asked)])?;
    session.execute("DELETE FROM notices WHERE settled < $1", &[&micros(ended.notices)])?;
    Ok(())
}
