//! `mailmag subscribers add`, `remove` and `erase`: what an operator does for one reader.

use std::io::{self, IsTerminal};

use anyhow::{Result, bail};

use super::super::Outcome;
use super::super::console::Console;
use super::{List, address, basis, evidence};
use crate::list::files::{self, LONGEST_NAME};
use crate::list::{Answer, Request};
use crate::model::Source;

#[derive(Debug, clap::Args)]
pub(super) struct AddArguments {
    /// The reader's address
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// How the reader consented: kept as the proof of it. Needed
    #[arg(long, value_name = "TEXT")]
    basis: Option<String>,
    /// The name for greetings
    #[arg(long)]
    name: Option<String>,
    /// Mark the reader with this
    #[arg(long)]
    tag: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RemoveArguments {
    /// The reader's address
    #[arg(value_name = "ADDRESS")]
    address: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct EraseArguments {
    /// The reader's address
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn add(list: &List<'_>, arguments: AddArguments, console: &Console) -> Result<Outcome> {
    let basis = basis(arguments.basis.as_deref())?;
    let address = address(&arguments.address)?;
    let name = arguments.name.as_deref().and_then(files::name);
    let tags: Vec<String> = arguments.tag.iter().filter_map(|tag| files::name(tag)).collect();
    if name.iter().chain(&tags).any(|text| text.chars().count() > LONGEST_NAME) {
        bail!("a name and a tag may have {LONGEST_NAME} characters");
    }
    let request = Request::Add { address, name, source: Source::Operator, basis, tags };
    match list.store.ask(request, evidence()?).wait()? {
        Answer::Done(standing) if standing.changed => console.say("added: the reader is active"),
        Answer::Done(_) => console.say("the reader is on the list already; nothing was changed"),
        other => refused(other)?,
    }
    Ok(Outcome::Well)
}

pub(super) fn remove(list: &List<'_>, arguments: RemoveArguments, console: &Console) -> Result<Outcome> {
    let address = address(&arguments.address)?;
    match list.store.ask(Request::Remove(address), evidence()?).wait()? {
        Answer::Done(standing) if standing.changed => {
            console.say("removed: the reader is unsubscribed, and only he himself can come back");
        }
        Answer::Done(standing) => {
            let status = standing.subscriber.map_or("erased", |subscriber| subscriber.status.name());
            console.say(&format!("the reader gets nothing as it is: {status}; nothing was changed"));
        }
        other => refused(other)?,
    }
    Ok(Outcome::Well)
}

pub(super) fn erase(list: &List<'_>, arguments: EraseArguments, console: &Console) -> Result<Outcome> {
    let address = address(&arguments.address)?;
    if list.store.subscriber(&address)?.is_none() {
        return refused(Answer::NoSuchSubscriber).map(|()| Outcome::Well);
    }
    if !arguments.yes {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            bail!("nothing was erased: there is no terminal to ask on (`--yes` erases unasked)");
        }
        if !console.ask("forget all of this reader, also what proves his consent? This cannot be undone")? {
            console.say("nothing was erased");
            return Ok(Outcome::Well);
        }
    }
    match list.store.ask(Request::EraseAddress(address), evidence()?).wait()? {
        Answer::Done(_) | Answer::Taken => {
            console.say("erased: a keyed digest is all that stays, so that no import brings the reader back");
        }
        other => refused(other)?,
    }
    Ok(Outcome::Well)
}

/// What the list answers where it does nothing.
fn refused(answer: Answer) -> Result<()> {
    match answer {
        Answer::Refused(why) => bail!("nothing was changed: {why}"),
        Answer::NoSuchSubscriber => bail!("nobody on the list has this address"),
        Answer::TooMany(wait) => bail!("too much was asked; try again in {} s", wait.as_secs()),
        Answer::NoSuchToken | Answer::Taken | Answer::Done(_) => {
            bail!("the list did not answer what was asked")
        }
    }
}
