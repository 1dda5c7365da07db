//! Falsifications of what chats and web clients were shown, and what is left (O2 to O6, O9).

use super::*;

pub static ALL: &[Falsification] = &[
    ("an answer is posted to another chat", "was sent elsewhere: Call", |o| {
        let is_answer = |call: &Call| call.kind == CallKind::Post && call.text.contains("-dm1001-");
        call(o, is_answer).map(|call| call.address.push('0'))
    }),
    ("a message is edited in another chat", "O2: an edit of a message that is not in the chat", |o| {
        let edit = call(o, |call| call.kind == CallKind::Edit)?;
        Some(edit.refused = Some("Bad Request: message to edit not found".to_owned()))
    }),
    ("an answer is stored for another chat", "O2: an answer goes elsewhere", |o| {
        part(o, is_answer).map(|part| part.address.push('0'))
    }),
    ("a part is given up", "O2: a part is dropped", |o| {
        part(o, is_answer).map(|part| part.state = "dropped".to_owned())
    }),
    ("no message shows a part", "O2: sent, and no message has it", |o| {
        part(o, is_answer).map(|part| (part.platform_message_id, part.target) = (None, None))
    }),
    ("an answer is cut short", "O2: the chat shows", |o| {
        let Part { address, platform_message_id, .. } = part(o, is_answer)?.clone();
        let calls = o.calls.iter_mut().filter(|call| call.address == address);
        let calls = calls.filter(|call| call.message == platform_message_id);
        Some(calls.for_each(|call| Arc::make_mut(call).text.truncate(3)))
    }),
    ("two parts have the same message", "has the same message", |o| {
        let part = part(o, is_answer)?.clone();
        add_part(o, part)
    }),
    ("two answers change places in their chat", "O5: it arrived before", |o| {
        let last = o.database.parts.iter().rposition(is_answer)?;
        let first = part(o, is_answer)?.platform_message_id.clone();
        let last = std::mem::replace(&mut o.database.parts[last].platform_message_id, first);
        part(o, is_answer).map(|part| part.platform_message_id = last)
    }),
    ("a part of an answer is missing", "O2: the parts do not make the answer", |o| {
        part(o, |part| is_answer(part) && part.body.starts_with("heard ")).map(|part| part.turn_id = None)
    }),
    ("a file is not sent", "files were sent", |o| {
        part(o, |part| part.media.is_some() && part.turn_id.is_some() && part.state == "sent")
            .map(|part| part.media = None)
    }),
    ("a file of an album is not sent", "files were sent", |o| {
        part(o, |part| part.album.is_some() && part.turn_id.is_some() && part.state == "sent")
            .map(|part| part.media = None)
    }),
    ("a file of an album is not in the chat", "O2: the chat shows None", |o| {
        let (address, last) = shown_album(o)?.last()?.clone();
        Some(o.calls.retain(|call| call.address != address || call.message.as_ref() != Some(&last)))
    }),
    ("two files of an album change places", "O2: the file is", |o| {
        let album = shown_album(o)?;
        let (first, last) = (album.first()?, album.last()?);
        let (one, other) = (o.files.get(first)?.clone(), o.files.get(last)?.clone());
        o.files.insert(first.clone(), other);
        o.files.insert(last.clone(), one).map(drop)
    }),
    ("an album comes in two requests", "O2: an album came in several requests", |o| {
        let (address, last) = shown_album(o)?.last()?.clone();
        let call = call(o, |call| call.address == address && call.message.as_ref() == Some(&last))?;
        Some(call.request = usize::MAX)
    }),
    ("a file is posted with other bytes", "O2: the file is", |o| {
        o.files.values_mut().map(|file| file.push('0')).last()
    }),
    ("a frame is never shown", "never showed", |o| o.journal.frames.get_mut(W0)?.pop_first().map(drop)),
    ("a frame shows another text", "showed Frame", |o| {
        o.journal.frames.get_mut(W0)?.values_mut().next().map(|frame| frame.text.push('x'))
    }),
    ("a web client gets another answer", "O2: another answer", |o| {
        part(o, is_web_answer).map(|part| part.body.push('x'))
    }),
    ("a session counts a frame too many", "stands at seq", |o| {
        o.database.sessions.first_mut().map(|session| session.seq += 1)
    }),
    ("a frame is shown that is not stored", "which is not in the database", |o| {
        let frames = o.journal.frames.get_mut(W0)?;
        let frame = frames.first_key_value()?.1.clone();
        frames.insert(FAR.unsigned_abs(), frame).is_none().then_some(())
    }),
    ("a frame is shown in another session", "which was sent elsewhere", |o| {
        let frames = o.journal.frames.get(W0)?;
        let tags = frames.values().find(|frame| frame.kind == "done")?.tags.clone();
        o.journal.frames.get_mut(W1)?.values_mut().next().map(|frame| frame.tags = tags)
    }),
    ("two frames change places", "O5: its answer has seq", |o| {
        part(o, is_web_answer).map(|part| part.seq = Some(FAR.unsigned_abs()))
    }),
    ("a question is still open", "a question without a right end", |o| {
        o.database.asks.iter_mut().find(|ask| ask.turn_id.is_some()).map(|ask| ask.state = "open".to_owned())
    }),
    ("a turn has two questions", "a turn asked twice", |o| {
        let ask = o.database.asks.iter().find(|ask| ask.turn_id.is_some())?.clone();
        Some(o.database.asks.push(Ask { id: ask.id + FAR, ..ask }))
    }),
    ("an agent got another answer", "O3: the agent got another answer", |o| {
        seen(o, |seen| seen.step == Step::Answer && seen.choice.is_some())
            .map(|seen| seen.choice = Some("other".to_owned()))
    }),
    ("the press of an answer is lost", "presses are stored for", |o| {
        remove_row(o, |row| row.disposition == "answer")
    }),
    ("a message is posted twice", "O4: posted twice", |o| {
        let post = (**o.posts().last()?).clone();
        let (message, request) = (Some(FAR.to_string()), usize::MAX);
        Some(o.calls.push(Arc::new(Call { at: post.at + FAR, message, request, lost: false, ..post })))
    }),
    ("an album is posted twice", "O4: posted twice", |o| {
        let (address, first) = shown_album(o)?.first()?.clone();
        let post = call(o, |call| call.address == address && call.message.as_ref() == Some(&first))?.clone();
        let (message, request) = (Some(FAR.to_string()), usize::MAX);
        Some(o.calls.push(Arc::new(Call { at: post.at + FAR, message, request, lost: false, ..post })))
    }),
    ("an album has a file too many", "O4: nobody knows one file of an album", |o| {
        let (address, first) = shown_album(o)?.first()?.clone();
        let post = call(o, |call| call.address == address && call.message.as_ref() == Some(&first))?.clone();
        Some(o.calls.push(Arc::new(Call { message: Some(FAR.to_string()), ..post })))
    }),
    ("a turn is left open", "O6: an open turn", |o| {
        turn(o, is_web).map(|turn| turn.state = "running".to_owned())
    }),
    ("a part is left open", "O6: an open part", |o| {
        part(o, is_answer).map(|part| part.state = "unknown".to_owned())
    }),
    ("a message is left open", "O6: an open message", |o| {
        row(o, is_web).map(|row| row.state = "waiting".to_owned())
    }),
    ("a client noticed something", "O2: a client noticed", |o| {
        Some(o.journal.wrong.push("O2: a client noticed".to_owned()))
    }),
    ("an unfinished file is left", "O6: an unfinished file", |o| {
        Some(o.unfinished.push(".part-0".to_owned()))
    }),
    ("a pairing code is in the log", "O9: in the log", |o| {
        let code = o.journal.codes.first()?.clone();
        Some(o.log.push_str(&format!("\nthe code is {code}")))
    }),
    ("the text of a message is in the log", "O9: in the log", |o| {
        let tag = seen(o, is_prompt)?.tag.clone();
        Some(o.log.push_str(&format!("\nsomebody wrote {tag}")))
    }),
    ("the login link is printed", "O9: in the log", |o| {
        let token = o.secrets.get(1)?.clone();
        Some(o.log.push_str(&format!("\nhttp://127.0.0.1:3847/#token={token}")))
    }),
    ("a pairing code is in the database", "O9: a code is in the database", |o| {
        let code = o.journal.codes.first()?.clone();
        part(o, |part| part.kind == "notice").map(|part| part.body.push_str(&code))
    }),
];
