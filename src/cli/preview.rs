//! `mailmag preview`: both forms of the magazine in a browser, live as the editor saves.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::Result;

use super::console::Console;
use super::{Outcome, today};
use crate::web::preview::{self, Place};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The port it is served at, 0 for any free one [default: 7676, or a free one where that is taken]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The address it is served at, which must be this machine's own (127.0.0.1 or ::1): what is not published yet is
    /// for no other
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Open it in the browser
    #[arg(long)]
    open: bool,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let Arguments { port, address, open } = arguments;
    preview::serve(directory, Place { address, port }, today, |at| {
        let url = format!("http://{at}/");
        // When stdout is gone the page is served all the same.
        let _ = console.data(format!("{url}\n").as_bytes());
        console.say("the preview is there until you press Ctrl-C");
        if open && let Err(error) = open::that_detached(&url) {
            console.say(&format!("no browser could be opened: {error}"));
        }
    })?;
    Ok(Outcome::Well)
}
