//! Downloads of files that came with messages.

use frontdesk_core::message::Attachment;
use frontdesk_core::port::{Bytes, FetchError};
use frontdesk_kit::{files, json::Fields};
use reqwest::{Method, Url};

use crate::config::Settings;
use crate::error::Fault;
use crate::file_reference::FileReference;
use crate::rest::{Request, Rest};

/// The hosts of Discord's files. Nothing is read from others, whatever a message names.
const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];

/// Downloads a file. The address of an attachment is asked for anew, because it expires.
pub(crate) async fn fetch(rest: &Rest, settings: &Settings, file: &Attachment) -> Result<Bytes, FetchError> {
    let reference: FileReference =
        file.reference.parse().map_err(|error| FetchError::Refused(format!("{error}")))?;
    let most = settings.max_download_bytes;
    if file.size.is_some_and(|size| size > most) {
        return Err(files::too_big(most));
    }
    let address = match &reference {
        FileReference::Attachment { channel, message, attachment } => {
            address(rest, channel, message, attachment).await?
        }
        FileReference::Sticker { id, ending } => format!("https://{}/stickers/{id}.{ending}", HOSTS[1]),
    };
    let url = Url::parse(&address).ok().filter(|url| is_discords(rest, url));
    let url = url.ok_or_else(|| FetchError::Refused("the file is not on Discord's hosts".to_owned()))?;
    let response = rest.open(url).await.map_err(Fault::for_fetch)?;
    files::download(response, most)
}

async fn address(rest: &Rest, channel: &str, message: &str, attachment: &str) -> Result<String, FetchError> {
    let path = ["channels", channel, "messages", message];
    let answer =
        rest.ask(&Request::new("get_message", Method::GET, &path)).await.map_err(Fault::for_fetch)?;
    let gone = || FetchError::Refused("the message does not have the file any more".to_owned());
    let message = Fields::of(answer.get(), "").ok_or_else(gone)?;
    let snapshots: Vec<Fields<'_>> = message.list("message_snapshots").unwrap_or_default();
    let forwarded = snapshots.iter().filter_map(|snapshot| snapshot.maybe::<Fields<'_>>("message"));
    for holder in forwarded.chain([message.clone()]) {
        let all: Vec<Fields<'_>> = holder.list("attachments").unwrap_or_default();
        let found = all.iter().find(|file| file.maybe::<String>("id").as_deref() == Some(attachment));
        if let Some(url) = found.and_then(|file| file.maybe::<String>("url")) {
            return Ok(url);
        }
    }
    Err(gone())
}

/// Whether an address is one of Discord's, or on the host of the API that the operator has configured.
fn is_discords(rest: &Rest, url: &Url) -> bool {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = url.host_str().map(|host| format!("{host}{port}"));
    let known = host.as_deref().is_some_and(|host| HOSTS.contains(&host)) && url.scheme() == "https";
    known || host.is_some() && host == rest.configured_host()
}
