/**
 * Types of Frontdesk's HTTP interface and of the frames of its WebSocket (`ServerFrame`, `ClientFrame`).
 * Made by tests/interop/api/types.mjs of openapi.json and frames.schema.json.
 */

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The web chat
         * @description The web chat.
         */
        get: operations["page_index"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists who may do what
         * @description Lists who may do what. With `limit` the people come in pages, by their ids; everything else is on the first one.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["access_list"];
        put?: never;
        /**
         * Grants a person a permission
         * @description Grants a person a permission.
         *
         *     Scope: `admin`.
         */
        post: operations["access_grant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/access/{principal}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revokes one or all permissions of a person
         * @description Revokes one or all permissions of a person. Running answers are cancelled, waiting messages refused.
         *
         *     Scope: `admin`.
         */
        delete: operations["access_revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/access/{principal}/block": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Blocks a person, whatever is granted
         * @description Blocks a person, whatever is granted.
         *
         *     Scope: `admin`.
         */
        post: operations["access_block"];
        /**
         * Ends a block
         * @description Ends a block.
         *
         *     Scope: `admin`.
         */
        delete: operations["access_unblock"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/allowlist": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists who may do what
         * @description Lists who may do what. With `limit` the people come in pages, by their ids; everything else is on the first one. The same as `/api/access`.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["access_list_alias"];
        put?: never;
        /**
         * Grants a person a permission
         * @description Grants a person a permission. The same as `/api/access`.
         *
         *     Scope: `admin`.
         */
        post: operations["access_grant_alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/allowlist/{principal}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revokes one or all permissions of a person
         * @description Revokes one or all permissions of a person. Running answers are cancelled, waiting messages refused. The same as `/api/access/{principal}`.
         *
         *     Scope: `admin`.
         */
        delete: operations["access_revoke_alias"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/asks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists questions, the newest first: the open ones, unless the query names another state or all
         * @description Lists questions, the newest first: the open ones, unless the query names another state or all.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["ask_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/asks/{ask}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers a question
         * @description Answers a question.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["ask_answer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists entries, the newest first
         * @description Lists entries, the newest first. With `find` each request reads a part of them, so that a page may be short, or empty, though `next` says that the list goes on.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["audit_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/background": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists tasks, the newest first: those in the state that the query names, or all
         * @description Lists tasks, the newest first: those in the state that the query names, or all. The same as `/api/tasks`.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["task_list_alias"];
        put?: never;
        /**
         * Hands over a task
         * @description Hands over a task. With an `Idempotency-Key` it is stored once, also across a restart. The same as `/api/tasks`.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_submit_alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/background/{task}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One task with its text, its open questions and its result
         * @description One task with its text, its open questions and its result. The same as `/api/tasks/{task}`.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["task_get_alias"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/background/{task}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels a task that has not ended
         * @description Cancels a task that has not ended. The same as `/api/tasks/{task}/cancel`.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_cancel_alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/background/{task}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs an ended task again, as a new task
         * @description Runs an ended task again, as a new task. The same as `/api/tasks/{task}/retry`.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_retry_alias"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/broadcast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a text, a file or both to several chats
         * @description Sends a text, a file or both to several chats. A repeated request sends it to those that have not got it.
         *
         *     Scope: `admin`.
         */
        post: operations["send_broadcast"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the budgets of people, chats or agents that have used something today or have limits of their own, by their names
         * @description Lists the budgets of people, chats or agents that have used something today or have limits of their own, by their names.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["budget_list"];
        put?: never;
        /**
         * Sets limits for one person, chat or agent, or leaves them to the configuration
         * @description Sets limits for one person, chat or agent, or leaves them to the configuration.
         *
         *     Scope: `admin`.
         */
        post: operations["budget_set"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channel/{channel}/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the groups of an account, one page at a time
         * @description Lists the groups of an account, one page at a time. The platform decides how many a page has.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["group_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channel/{channel}/groups/{group}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Describes one group
         * @description Describes one group.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["group_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channel/{channel}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Connects a channel, or one account of it
         * @description Connects a channel, or one account of it.
         *
         *     Scope: `admin`.
         */
        post: operations["channel_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/channel/{channel}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disconnects a channel, or one account of it
         * @description Disconnects a channel, or one account of it.
         *
         *     Scope: `admin`.
         */
        post: operations["channel_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/charts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Messages, turns, cost, the time of turns and commits, and the age of the queue, in equal steps; the last one is still going on
         * @description Messages, turns, cost, the time of turns and commits, and the age of the queue, in equal steps; the last one is still going on.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["charts_charts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a message to the agent
         * @description Sends a message to the agent. The `Idempotency-Key` is the message's id: a repeated key means the same message and gets the same answer, also after a restart.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["chat_chat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The configuration in use
         * @description The configuration in use. Secrets are left out.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["config_show"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reads the configuration again and applies it
         * @description Reads the configuration again and applies it.
         *
         *     Scope: `admin`.
         */
        post: operations["config_reload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists jobs in the order of their names
         * @description Lists jobs in the order of their names.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["job_list"];
        put?: never;
        /**
         * Makes a job
         * @description Makes a job. With an `Idempotency-Key` it is made once, also across a restart.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["job_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One job with the whole of what is to be done
         * @description One job with the whole of what is to be done.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["job_get"];
        put?: never;
        post?: never;
        /**
         * Removes a job
         * @description Removes a job.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        delete: operations["job_remove"];
        options?: never;
        head?: never;
        /**
         * Changes a job
         * @description Changes a job. What the body leaves out stays as it is.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        patch: operations["job_change"];
        trace?: never;
    };
    "/api/cron/jobs/{job}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pauses a job
         * @description Pauses a job.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["job_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs/{job}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets a paused job run again
         * @description Lets a paused job run again.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["job_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs/{job}/run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a job now
         * @description Runs a job now.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["job_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs/{job}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the runs of a job, the newest first
         * @description Lists the runs of a job, the newest first.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["job_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cron/jobs/{job}/runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One run of a job, with the whole of its result
         * @description One run of a job, with the whole of its result.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["job_one_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists dead letters without their content, the newest first
         * @description Lists dead letters without their content, the newest first.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["dead_letter_list"];
        put?: never;
        post?: never;
        /**
         * Deletes all dead letters
         * @description Deletes all dead letters.
         *
         *     Scope: `admin`.
         */
        delete: operations["dead_letter_discard_all"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/dead-letters/{letter}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One dead letter with its content
         * @description One dead letter with its content.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["dead_letter_get"];
        put?: never;
        post?: never;
        /**
         * Deletes one dead letter
         * @description Deletes one dead letter.
         *
         *     Scope: `admin`.
         */
        delete: operations["dead_letter_discard"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sends what happens, as server-sent events: the frames of a session, or for admins what the gateway does
         * @description Sends what happens, as server-sent events: the frames of a session, or for admins what the gateway does.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["event_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says how large an upload may be, and how many a message may have
         * @description Says how large an upload may be, and how many a message may have.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["file_limits"];
        put?: never;
        /**
         * Takes a file: the body is its content
         * @description Takes a file: the body is its content. Answers when the file is durable.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["file_upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{upload}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The content of an upload of the caller
         * @description The content of an upload of the caller.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["file_get"];
        put?: never;
        post?: never;
        /**
         * Removes an upload of the caller
         * @description Removes an upload of the caller.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        delete: operations["file_remove"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/frames.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The frames of the WebSocket as JSON Schema
         * @description The frames of the WebSocket as JSON Schema.
         */
        get: operations["schema_frames"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/gateway/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restarts the gateway
         * @description Restarts the gateway.
         *
         *     Scope: `admin`.
         */
        post: operations["gateway_restart"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/gateway/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stops the gateway
         * @description Stops the gateway.
         *
         *     Scope: `admin`.
         */
        post: operations["gateway_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Says who the caller is
         * @description Says who the caller is.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["login_who"];
        put?: never;
        /**
         * Exchanges a ticket for the token of a browser
         * @description Exchanges a ticket for the token of a browser.
         *
         *     The ticket of a login link stands in place of a token.
         */
        post: operations["login_log_in"];
        /**
         * Logs the browser out that calls
         * @description Logs the browser out that calls.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        delete: operations["login_log_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Searches messages: with the scope `chat` those of the caller's own chats, otherwise all
         * @description Searches messages: with the scope `chat` those of the caller's own chats, otherwise all. Returns those whose text or answer has these words, the newest first, with the words around them.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["search_messages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/messages/{message}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A message with its answer, also if the answer is to several messages at once
         * @description A message with its answer, also if the answer is to several messages at once.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["message_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This description
         * @description This description.
         */
        get: operations["schema_openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/outbox": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what is or was to be sent, the newest first
         * @description Lists what is or was to be sent, the newest first.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["outbox_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/outbox/{part}/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Gives up on a part
         * @description Gives up on a part.
         *
         *     Scope: `admin`.
         */
        post: operations["outbox_discard"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/outbox/{part}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries to send a part again
         * @description Tries to send a part again.
         *
         *     Scope: `admin`.
         */
        post: operations["outbox_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/pairing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the open pairing requests
         * @description Lists the open pairing requests.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["pairing_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/pairing/requests/{request}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets the sender of a request in whom the caller has seen in the list
         * @description Lets the sender of a request in whom the caller has seen in the list. The list shows no codes, so that nobody reads one out of it; an admin who knows the person needs none.
         *
         *     Scope: `admin`.
         */
        post: operations["pairing_approve_request"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/pairing/requests/{request}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Denies a request that the caller has seen in the list
         * @description Denies a request that the caller has seen in the list.
         *
         *     Scope: `admin`.
         */
        post: operations["pairing_deny_request"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/pairing/{code}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Lets in the person who shows this code
         * @description Lets in the person who shows this code.
         *
         *     Scope: `admin`.
         */
        post: operations["pairing_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/pairing/{code}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Denies the request with this code
         * @description Denies the request with this code.
         *
         *     Scope: `admin`.
         */
        post: operations["pairing_deny"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sends a text, a file or both to a chat
         * @description Sends a text, a file or both to a chat. The key makes its parts unique in the database, so that a repeated request sends nothing twice, even after a restart.
         *
         *     Scope: `admin`.
         */
        post: operations["send_send"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One session with what waits in it, and its conversations
         * @description One session with what waits in it, and its conversations.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["session_get"];
        put?: never;
        post?: never;
        /**
         * Deletes a session with all that was said in it
         * @description Deletes a session with all that was said in it.
         *
         *     Scope: `admin`.
         */
        delete: operations["session_erase"];
        options?: never;
        head?: never;
        /**
         * Changes how a session is listed: its title, and whether it is archived
         * @description Changes how a session is listed: its title, and whether it is archived.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        patch: operations["session_change"];
        trace?: never;
    };
    "/api/session/{key}/files/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The content of a file of a session: `m7.0` is the first one that came with the message `m7`, `o9` the one that was sent as `o9`
         * @description The content of a file of a session: `m7.0` is the first one that came with the message `m7`, `o9` the one that was sent as `o9`.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["file_of_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{key}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the messages of a session with their answers, the newest first
         * @description Lists the messages of a session with their answers, the newest first.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["session_messages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{key}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a new conversation
         * @description Starts a new conversation.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["session_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{key}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels the running and the waiting turns
         * @description Cancels the running and the waiting turns.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["session_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/{key}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what the chat has shown: its messages, its stored frames and the beginnings of its conversations, the newest first
         * @description Lists what the chat has shown: its messages, its stored frames and the beginnings of its conversations, the newest first.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["timeline_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists sessions: with the scope `chat` those of the caller's own chats, otherwise all
         * @description Lists sessions: with the scope `chat` those of the caller's own chats, otherwise all. In the order of the latest messages a page may be short, or empty, though `next` says that the list goes on.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["session_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The status of the gateway with its counts, and what the caller's token may do
         * @description The status of the gateway with its counts, and what the caller's token may do.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["status_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists tasks, the newest first: those in the state that the query names, or all
         * @description Lists tasks, the newest first: those in the state that the query names, or all.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["task_list"];
        put?: never;
        /**
         * Hands over a task
         * @description Hands over a task. With an `Idempotency-Key` it is stored once, also across a restart.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_submit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tasks/{task}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One task with its text, its open questions and its result
         * @description One task with its text, its open questions and its result.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["task_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tasks/{task}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancels a task that has not ended
         * @description Cancels a task that has not ended.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tasks/{task}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs an ended task again, as a new task
         * @description Runs an ended task again, as a new task.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["task_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Makes a ticket with which one browser can log in as the caller
         * @description Makes a ticket with which one browser can log in as the caller.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["login_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists every token without its secret, also those that were revoked
         * @description Lists every token without its secret, also those that were revoked.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["token_list"];
        put?: never;
        /**
         * Makes a token
         * @description Makes a token. A repeated request is refused, because nobody can be told the secret a second time.
         *
         *     Scope: `admin`.
         */
        post: operations["token_make"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revokes a token at once
         * @description Revokes a token at once.
         *
         *     Scope: `admin`.
         */
        delete: operations["token_revoke"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens/{token}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replaces the secret of a token
         * @description Replaces the secret of a token. The old one is refused at once, and its sockets close.
         *
         *     Scope: `admin`.
         */
        post: operations["token_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The operator's console
         * @description The operator's console.
         */
        get: operations["console_index"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/{asset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file that the console loads
         * @description A file that the console loads.
         */
        get: operations["console_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the process is healthy
         * @description Whether the process is healthy. A platform that is down does not count, because a restart would not help.
         */
        get: operations["status_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hooks/{hook}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Takes an event of another program: JSON or a form, as the endpoint is configured in `[hooks]`
         * @description Takes an event of another program: JSON or a form, as the endpoint is configured in `[hooks]`. Answers once it is stored; a repetition gets the same answer and changes nothing.
         *
         *     The request shows the secret or the signature of `[hooks]` in the configuration.
         */
        post: operations["hook_receive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mcp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers one message of an MCP client (Model Context Protocol, JSON-RPC 2.0)
         * @description Answers one message of an MCP client (Model Context Protocol, JSON-RPC 2.0). The token is that of an agent and says for which session it calls.
         *
         *     The token is that of an agent's session.
         */
        post: operations["mcp_respond"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The metrics in Prometheus' text format
         * @description The metrics in Prometheus' text format.
         *
         *     Scope: `read` or `admin`.
         */
        get: operations["status_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/page/{asset}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file that the page loads
         * @description A file that the page loads.
         */
        get: operations["page_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether every account is connected to its platform
         * @description Whether every account is connected to its platform. An account that an admin disconnected does not count as a fault, as long as another one is ready. Only callers with a token are told the reasons and who disconnected an account.
         */
        get: operations["status_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answers the last message of a conversation, as OpenAI's interface does
         * @description Answers the last message of a conversation, as OpenAI's interface does.
         *
         *     Scope: `admin`; `chat` or `app` for what is its holder's own.
         */
        post: operations["completion_complete"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the agents as models
         * @description Lists the agents as models.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["completion_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One agent as a model
         * @description One agent as a model.
         *
         *     Scope: `read` or `admin`; `chat` or `app` for what is its holder's own.
         */
        get: operations["completion_model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{channel}/{account}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Takes a request of a platform, which shows by a secret or a signature that it comes from there
         * @description Takes a request of a platform, which shows by a secret or a signature that it comes from there. Answers when its events are stored, in the form that the platform expects.
         *
         *     The request shows the platform's secret or signature.
         */
        get: operations["webhook_receive_get"];
        put?: never;
        /**
         * Takes a request of a platform, which shows by a secret or a signature that it comes from there
         * @description Takes a request of a platform, which shows by a secret or a signature that it comes from there. Answers when its events are stored, in the form that the platform expects.
         *
         *     The request shows the platform's secret or signature.
         */
        post: operations["webhook_receive_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Opens a WebSocket; the frames have a schema of their own
         * @description Opens a WebSocket; the frames have a schema of their own. The token may be a header, the subprotocol `bearer.TOKEN` beside `frontdesk.v1`, or the first frame. A request with a wrong token is refused here; a client without a token may send it in its first frame, within a few seconds.
         */
        get: operations["handshake_upgrade"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What an event has become. */
        AcceptedEvent: {
            /** @description The key by which a repetition is recognised. */
            event: string;
        } | {
            session: string;
            state: string;
            task: string;
        } | {
            parts: components["schemas"]["QueuedPart"][];
        } | {
            message: string;
            session?: string | null;
        };
        /** @description A message that is stored. */
        AcceptedMessage: {
            /** @description For example `m7`. */
            message: string;
            session: string;
        };
        /** @description One permission of a person. */
        AccessGrant: {
            account: string;
            by: string | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string | null;
            platform: string;
            /** @description The person as paths and lists name it, for example `telegram:4711`. */
            principal: string;
            /** @description `dm`, `admin` or `group:ID`. */
            scope: string;
            /** @description The name that the person showed at that time. */
            shown: string | null;
            /** @description Where the grant came from: `config`, `pairing`, `cli`, `api` or `chat`. */
            source: string;
            /** @description The platform's stable id. */
            user: string;
        };
        /** @description Who may do what. */
        AccessList: {
            /** @description People, from the configuration and from admins. */
            access: components["schemas"]["AccessGrant"][];
            blocked: components["schemas"]["BlockedPerson"][];
            /** @description Chats that admins have set. */
            chats: components["schemas"]["ChatSetting"][];
            /** @description What the configuration allows other than to single people to write. */
            configured: components["schemas"]["ConfiguredAccess"][];
            next: string | null;
            /** @description Accounts that admins have disconnected. */
            stopped: components["schemas"]["StoppedAccount"][];
        };
        /** @description The account of a bot or a login on a platform. */
        Account: {
            account: string;
            channel: string;
            /** @description The last error of its connection. */
            error: string | null;
            /**
             * Format: date-time
             * @description When the platform was last heard from.
             */
            last_heard: string | null;
            ready: boolean;
            /**
             * Format: date-time
             * @description When `ready` last changed.
             */
            since: string;
            /** @description `ready`, `not ready`, `token refused` or `stopped by NAME`. */
            state: string;
        };
        /** @description The name of an account. */
        AccountName: {
            account: string;
            channel: string;
        };
        /** @description One agent. */
        AgentStatus: {
            failover: components["schemas"]["Failover"] | null;
            name: string;
            /** @description Why it cannot answer. */
            problem: string | null;
            /**
             * Format: uint
             * @description Number of its running turns.
             */
            running: number;
        };
        /** @description A message that is answered. */
        AnsweredMessage: {
            /** @description For example `m7`. */
            message: string;
            session: string;
            /** @description The answer. */
            text: string;
            usage?: components["schemas"]["Usage"] | null;
        };
        /** @description The person who is let in. */
        ApprovedPairing: {
            approved: components["schemas"]["PairingRequest"];
        };
        /** @description A question in a list. */
        Ask: {
            /** @description The answer in words. */
            answer?: string | null;
            audience: components["schemas"]["AskAudience"];
            /** @description Who answered. */
            by?: string | null;
            by_name?: string | null;
            /** @description The id of the choice. */
            choice?: string | null;
            choices: components["schemas"]["Choice"][];
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            deadline: string;
            /**
             * Format: date-time
             * @description When it has ended.
             */
            ended?: string | null;
            /** @description For example `a3`. */
            id: string;
            /** @enum {string} */
            kind: "permission" | "choice" | "confirm" | "input";
            /** @description Whether the reader may answer it. */
            may_answer: boolean;
            session: string;
            /** @enum {string} */
            state: "open" | "answered" | "expired" | "cancelled";
            /** @description In Markdown. */
            text: string;
            /** @description The address of the chat in which it is asked. */
            to: string;
            /** @description The turn that asks; null if it is the reply to a command. */
            turn: string | null;
        };
        /** @description Who may answer: `admins`, or these people. */
        AskAudience: "admins" | string[];
        /** @description Questions to people. */
        Asks: {
            asks: components["schemas"]["Ask"][];
            next: string | null;
        };
        /** @description One change, and who made it. */
        AuditEntry: {
            action: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            at: string;
            by: string;
            /** Format: int64 */
            id: number;
            outcome: string;
            subject: string;
            /** @description How the change was asked for, for example `api` or `cli`. */
            via: string;
        };
        /** @description Who changed what. */
        AuditLog: {
            audit: components["schemas"]["AuditEntry"][];
            next: string | null;
        };
        /** @description A person who is blocked, and what ended with that. */
        Blocked: {
            /**
             * Format: uint64
             * @description Parts that were not sent yet.
             */
            dropped: number;
            /** @description Whether the person was not blocked before. */
            new: boolean;
            principal: string;
            /**
             * Format: uint
             * @description Turns that ran.
             */
            running: number;
            /** @description A sentence that says what was done. */
            said: string;
            /**
             * Format: uint
             * @description Messages that waited.
             */
            waiting: number;
        };
        /** @description A person whom an admin has blocked. */
        BlockedPerson: {
            account: string;
            by: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            platform: string;
            /** @description The person as paths and lists name it, for example `telegram:4711`. */
            principal: string;
            source: string;
            /** @description The platform's stable id. */
            user: string;
        };
        /** @description A message to several chats: those of `to`, or those of a list. */
        BroadcastRequest: {
            /** @description A list of the configuration. */
            list?: string | null;
            /** @description A file, relative to the media folder. */
            media?: string | null;
            /**
             * @description Whether chats on no configured channel are left out; otherwise nothing is sent if there are any.
             * @default false
             */
            skip_unknown?: boolean;
            /**
             * @description In Markdown.
             * @default
             */
            text?: string;
            /**
             * @description Addresses.
             * @default []
             */
            to?: string[];
            /**
             * @description Whether quiet hours do not hold it.
             * @default false
             */
            urgent?: boolean;
        };
        /** @description What a person, a chat or an agent has used today, with the limits that apply. */
        Budget: {
            /**
             * Format: uint64
             * @description In millionths of the currency in which the agent counts.
             */
            cost_micro: number;
            /** Format: uint64 */
            input_tokens: number;
            limits: components["schemas"]["BudgetLimits"];
            /** Format: uint64 */
            output_tokens: number;
            /** @enum {string} */
            scope: "person" | "chat" | "agent";
            /** @description What an admin has set. */
            set: components["schemas"]["BudgetSetting"] | null;
            subject: string;
            /** Format: uint64 */
            turns: number;
        };
        /** @description The limits of a day; null is no limit. */
        BudgetLimits: {
            /** Format: uint64 */
            cost_micro: number | null;
            /** Format: uint64 */
            tokens: number | null;
            /** Format: uint64 */
            turns: number | null;
        };
        /**
         * @description Limits in place of the configured ones. What is left out stays as configured; 0 is no limit. Without any limit the
         *     configuration holds again.
         */
        BudgetRequest: {
            /** Format: uint64 */
            cost_micro?: number | null;
            /**
             * Format: uint64
             * @description How long they hold; until they are changed, if it is left out.
             */
            for_s?: number | null;
            /** @enum {string} */
            scope: "person" | "chat" | "agent";
            /** @description The person, the address of the chat, or the name of the agent. */
            subject: string;
            /** Format: uint64 */
            tokens?: number | null;
            /** Format: uint64 */
            turns?: number | null;
        };
        /** @description Who has set limits in place of the configured ones. */
        BudgetSetting: {
            by: string;
            /**
             * Format: date-time
             * @description Until when they hold; until they are changed, if it is null.
             */
            until: string | null;
        };
        /** @description What people, chats or agents have used today. */
        Budgets: {
            budgets: components["schemas"]["Budget"][];
            next: string | null;
        };
        /** @description A model or an agent that may answer. */
        Candidate: {
            name: string;
            /**
             * Format: uint64
             * @description Number of pauses since the start.
             */
            pauses: number;
            /** @description The name with the host of the provider. */
            place: string;
            /** @description How it failed. */
            reason: string | null;
            /** Format: uint64 */
            retry_in_seconds: number | null;
            /** @description `working`, `paused` or `probing`. */
            state: string;
        };
        /** @description The accounts that were named, and those for which it is a change. */
        ChannelSwitched: {
            accounts: components["schemas"]["AccountName"][];
            changed: components["schemas"]["AccountName"][];
            stopped: boolean;
            /** @description Says that no admin can reach the gateway from a chat now. */
            warning: string | null;
        };
        /** @description What happened in one step. A time is null if nothing was measured. */
        ChartPoint: {
            /**
             * Format: date-time
             * @description When the step began.
             */
            at: string;
            /** Format: uint64 */
            commit_max_us: number | null;
            /**
             * Format: uint64
             * @description The mean time of a commit.
             */
            commit_us: number | null;
            /**
             * Format: uint64
             * @description In millionths of the currency in which the agents count.
             */
            cost_micro: number;
            /** Format: uint64 */
            messages: number;
            /**
             * Format: uint64
             * @description The age of the oldest message that waited.
             */
            queue_ms: number;
            /** Format: uint64 */
            turn_max_ms: number | null;
            /**
             * Format: uint64
             * @description The mean time of a turn.
             */
            turn_ms: number | null;
            /** Format: uint64 */
            turns: number;
        };
        /** @description What happened, in equal steps. */
        Charts: {
            points: components["schemas"]["ChartPoint"][];
            /**
             * Format: int64
             * @description Length of a step in seconds.
             */
            step_s: number;
        };
        /** @description A chat completion, as OpenAI describes it. */
        ChatCompletion: {
            choices: unknown[];
            /**
             * Format: int64
             * @description Seconds since 1970.
             */
            created: number;
            id: string;
            model: string;
            object: string;
            usage?: unknown;
        };
        /** @description A message as a client sends it. */
        ChatMessage: {
            content?: (string | components["schemas"]["ContentPart"][]) | null;
            role: components["schemas"]["Role"];
            tool_calls?: components["schemas"]["ToolCall"][] | null;
        };
        /** @description A message to the agent. */
        ChatRequest: {
            /** @description Where it is posted what became of the message, if the caller does not wait. */
            callback?: string | null;
            /**
             * @description The name of the caller's chat.
             * @default main
             */
            chat?: string;
            /**
             * @description Uploads of the caller.
             * @default []
             */
            files?: string[];
            /**
             * @description Whether to answer as server-sent events, whose data are frames. The header `Accept: text/event-stream` says the same.
             * @default false
             */
            stream?: boolean;
            /**
             * @description A message has a text, files or both.
             * @default
             */
            text?: string;
            /**
             * @description Whether to wait for the answer; otherwise the response comes once the message is stored.
             * @default true
             */
            wait?: boolean;
        };
        /** @description A chat that an admin has set. */
        ChatSetting: {
            allowed: boolean;
            by: string;
            chat: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            muted_until: string | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            updated: string;
        };
        /** @description A choice of a question. */
        Choice: {
            id: string;
            label: string;
            /** @enum {string} */
            style: "plain" | "primary" | "danger";
        };
        /** @description What was chosen in the chat. */
        ChosenOptions: {
            model: string | null;
            thinking: string | null;
        };
        /**
         * @description The parts of a request that Frontdesk reads. How a model samples is decided by the agent's own configuration, so those
         *     fields are ignored, like those that this version does not know.
         */
        CompletionRequest: {
            functions?: unknown[] | null;
            messages: components["schemas"]["ChatMessage"][];
            /** @description The name of an agent. */
            model: string;
            /** Format: uint32 */
            n?: number | null;
            parallel_tool_calls?: boolean | null;
            response_format?: components["schemas"]["ResponseFormat"] | null;
            /** @default false */
            stream?: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
            tool_choice?: unknown;
            tools?: components["schemas"]["OfferedTool"][] | null;
        };
        /** @description What the configuration allows. */
        ConfiguredAccess: {
            account: string;
            /** @description The role, the person or the bot. */
            id: string | null;
            /** @enum {string} */
            may: "write" | "moderate";
            platform: string;
            scope: string | null;
            /** @enum {string} */
            who: "everybody" | "role" | "person" | "bot";
        };
        /** @description A part of a message. */
        ContentPart: {
            image_url?: components["schemas"]["ImageUrl"] | null;
            refusal?: string | null;
            text?: string | null;
            type: string;
        };
        /** @description An event that could not be read, without its content. */
        DeadLetter: {
            event: string;
            /** Format: int64 */
            id: number;
            kind: string;
            reason: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            session: string | null;
            /**
             * Format: uint64
             * @description Size of the content in bytes.
             */
            size: number;
            source: string;
        };
        /** @description An event that could not be read, with its content. */
        DeadLetterContent: {
            body: string;
            /** @description Whether only the beginning was kept. */
            cut: boolean;
            event: string;
            /** Format: int64 */
            id: number;
            kind: string;
            reason: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            session: string | null;
            /**
             * Format: uint64
             * @description Size of the content in bytes.
             */
            size: number;
            source: string;
        };
        /** @description Events that could not be read. */
        DeadLetters: {
            dead_letters: components["schemas"]["DeadLetter"][];
        };
        /** @description Where the results of a job go. */
        Delivery: {
            /** @description `direct`, `announce`, `silent` or `webhook`. */
            mode: string;
            to: string | null;
            url: string | null;
        };
        /** @description The person who is not let in. */
        DeniedPairing: {
            denied: components["schemas"]["PairingRequest"];
        };
        /** @description How many were deleted. */
        DroppedDeadLetters: {
            /** Format: uint64 */
            dropped: number;
        };
        /** @description One conversation of a session. */
        Epoch: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            ended: string | null;
            /** Format: uint64 */
            epoch: number;
            first_text: string | null;
            /**
             * Format: uint64
             * @description Number of its messages.
             */
            messages: number;
            /** @description Why it began. */
            reason: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            started: string;
        };
        /** @description A session that is deleted with all that was said in it. */
        ErasedSession: {
            erased: string;
        };
        /** @description The body of every error. */
        ErrorBody: {
            error: components["schemas"]["ErrorFields"];
        };
        /** @description What is wrong. */
        ErrorFields: {
            /** @description The message that the error is about. */
            about?: string | null;
            /** @description For programs, for example `not_found`. */
            code: string;
            /** @description Why the turn failed. */
            detail?: string | null;
            /** @description How to send a message again that was refused. */
            hint?: string | null;
            /** @description For people: what is wrong, and what to do. */
            message: string;
            /** @description Null, in the errors of `/v1`. */
            param?: unknown;
            /** @description The text that the agent had written before its turn ended. */
            text?: string | null;
            /** @description The kind of the error, in the errors of `/v1`. */
            type?: string | null;
        };
        /** @description The answer to a request that is no event. */
        EventReply: {
            challenge: string;
        } | {
            ignored: boolean;
        };
        /** @description The models or agents that may answer, in their order, and the one that does. */
        Failover: {
            answering: string | null;
            candidates: components["schemas"]["Candidate"][];
        };
        /** @description A message that was found. */
        FoundMessage: {
            /** @description The words in the answer with those around them. */
            answer: string | null;
            message: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            session: string;
            /** @description The words in the text with those around them. */
            text: string | null;
        };
        /** @description Messages that were found. */
        FoundMessages: {
            messages: components["schemas"]["FoundMessage"][];
            next: string | null;
        };
        /** @description The function that was called. */
        FunctionCall: {
            /** @default  */
            arguments?: string | null;
            name: string;
        };
        /** @description The status of the gateway with its counts. */
        GatewayStatus: {
            accounts: components["schemas"]["Account"][];
            agents: components["schemas"]["AgentStatus"][];
            /** @description The id of this start of the process. */
            boot: string;
            caller: components["schemas"]["StatusCaller"];
            /**
             * Format: uint
             * @description Number of clients that are connected now.
             */
            clients: number;
            /**
             * Format: uint64
             * @description Number of scheduled jobs, whatever their state.
             */
            jobs: number;
            /**
             * Format: date-time
             * @description When the next run of a job is due.
             */
            next_run: string | null;
            /**
             * Format: uint
             * @description Number of open pairing requests.
             */
            pairing: number;
            /** @description What is wrong, one sentence each. */
            reasons: string[];
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            started: string;
            /** @enum {string} */
            status: "ok" | "degraded";
            /**
             * Format: uint64
             * @description Number of background tasks that have not ended.
             */
            tasks: number;
            /** @description What each agent has used today. */
            today: components["schemas"]["Spent"][];
            totals: components["schemas"]["Totals"];
            version: string;
        };
        /**
         * @description An answer as a client sends it: the id of a choice, or a text. A text to a question with choices may be the number,
         *     the id or the label of one.
         */
        GivenAnswer: {
            /** @description The id of a choice. */
            choice?: string | null;
            text?: string | null;
        };
        /** @description A permission to be granted. */
        GrantRequest: {
            /** @description Unset means the account `default`. */
            account?: string | null;
            platform: string;
            /** @description `dm`, `admin` or `group:ID`; unset means `dm`. */
            scope?: string | null;
            user: components["schemas"]["UserId"];
        };
        /** @description A permission that is granted. */
        Granted: {
            /** @description Whether the person did not have it before. */
            new: boolean;
            principal: string;
            scope: string;
        };
        /** @description A group or a channel of a platform. */
        Group: {
            archived: boolean;
            id: string;
            /** @description Whether the bot is in it. */
            joined: boolean | null;
            kind: string;
            /**
             * Format: uint64
             * @description Number of its members.
             */
            members: number | null;
            name: string;
            /** @description Whether the agent answers there. */
            served: boolean;
            topic: string | null;
            /** @description What it belongs to, for example a category. */
            within: string | null;
        };
        /** @description The groups and channels of an account. */
        Groups: {
            account: string;
            channel: string;
            groups: components["schemas"]["Group"][];
            next: string | null;
            /** @description Whether the platform names only those in which the bot is. */
            only_served: boolean;
        };
        /** @description Whether the process is healthy. A platform that is down does not count. */
        Health: {
            /** @description What is wrong, one sentence each. */
            reasons: string[];
            /** @enum {string} */
            status: "ok" | "degraded";
            version: string;
        };
        /** @description Whom a token stands for. */
        Identity: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string | null;
            /** @description `owner`, `named` or `browser`. */
            kind: string;
            /** @description The name of the token. */
            name: string;
            person: string;
            /** @enum {string} */
            scope: "chat" | "app" | "read" | "admin";
        };
        /** @description Where an image is. */
        ImageUrl: {
            url: string;
        };
        /** @description A scheduled job. */
        Job: {
            agent: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            delivery: components["schemas"]["Delivery"];
            /**
             * Format: uint32
             * @description Number of its last runs that failed, one after another.
             */
            failures: number;
            id: string;
            /** Format: uint64 */
            jitter_s: number;
            last: components["schemas"]["LastRun"] | null;
            missed: string;
            /**
             * Format: date-time
             * @description When it is due.
             */
            next: string | null;
            origin: string | null;
            overlap: string;
            owner: string;
            owner_name: string | null;
            /** @description Why it does not run. */
            reason: string | null;
            /** @description Whether all runs share one conversation. */
            resume_context: boolean;
            /** Format: uint32 */
            retries: number;
            schedule: components["schemas"]["Schedule"];
            session: string;
            /** @description Who made it: the configuration, or a person by one of the interfaces. */
            source: string;
            /** @enum {string} */
            state: "active" | "paused" | "disabled" | "done";
            title: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            updated: string;
        };
        /** @description A change of a job. What is left out stays as it is. */
        JobChange: {
            /** @description The agent. */
            agent?: string | null;
            /** @description Where its results go. */
            delivery?: components["schemas"]["JobTarget"] | null;
            /**
             * Format: uint64
             * @description The longest random delay, in seconds.
             */
            jitter_s?: number | null;
            /** @description What becomes of missed runs. */
            missed?: components["schemas"]["MissedRule"] | null;
            /** @description What becomes of a run while another one has not ended. */
            overlap?: components["schemas"]["OverlapRule"] | null;
            /** @description Whether all runs share one conversation. */
            resume_context?: boolean | null;
            /**
             * Format: uint32
             * @description How often a failed run is tried again.
             */
            retries?: number | null;
            /** @description When it runs. */
            schedule?: components["schemas"]["JobSchedule"] | null;
            /** @description What is to be done. */
            task?: string | null;
        };
        /** @description A job with the whole of what is to be done, and its next times. */
        JobDetails: {
            agent: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            delivery: components["schemas"]["Delivery"];
            /**
             * Format: uint32
             * @description Number of its last runs that failed, one after another.
             */
            failures: number;
            id: string;
            /** Format: uint64 */
            jitter_s: number;
            last: components["schemas"]["LastRun"] | null;
            missed: string;
            /**
             * Format: date-time
             * @description When it is due.
             */
            next: string | null;
            origin: string | null;
            overlap: string;
            owner: string;
            owner_name: string | null;
            /** @description Why it does not run. */
            reason: string | null;
            /** @description Whether all runs share one conversation. */
            resume_context: boolean;
            /** Format: uint32 */
            retries: number;
            schedule: components["schemas"]["Schedule"];
            session: string;
            /** @description Who made it: the configuration, or a person by one of the interfaces. */
            source: string;
            /** @enum {string} */
            state: "active" | "paused" | "disabled" | "done";
            /** @description What is to be done. */
            task: string;
            title: string;
            upcoming: string[];
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            updated: string;
        };
        /** @description A job to be made, as a request describes it. */
        JobDraft: {
            /** @description The agent; the one that answers in the chat without it. */
            agent?: string | null;
            /** @description Where its results go. */
            delivery: components["schemas"]["JobTarget"];
            /** @description Its name; one is made without it. */
            id?: string | null;
            /**
             * Format: uint64
             * @description The longest random delay, in seconds.
             * @default 0
             */
            jitter_s?: number;
            /**
             * @description What becomes of missed runs.
             * @default run_once
             */
            missed?: components["schemas"]["MissedRule"];
            /**
             * @description What becomes of a run while another one has not ended.
             * @default skip
             */
            overlap?: components["schemas"]["OverlapRule"];
            /**
             * @description Whether all runs share one conversation.
             * @default false
             */
            resume_context?: boolean;
            /**
             * Format: uint32
             * @description How often a failed run is tried again.
             * @default 0
             */
            retries?: number;
            /** @description When it runs. */
            schedule: components["schemas"]["JobSchedule"];
            /** @description What is to be done. */
            task: string;
        };
        /** @description How results are delivered. */
        JobMode: "direct" | "announce" | "silent" | "webhook";
        /** @description When a job runs. */
        JobSchedule: {
            /** @description A cron expression (`0 9 * * 1-5`, `@daily`), an interval (`15m`, `1h30m`) or a time (`2026-12-24T18:00`). */
            expr: string;
            /** @description How `expr` is read: `cron`, `every` or `at`. */
            kind: components["schemas"]["ScheduleKind"];
            /**
             * @description The IANA time zone of local times, such as `Europe/Berlin`. Unset means the one of `sessions.reset.timezone`.
             * @default null
             */
            timezone?: string | null;
        };
        /** @description Where the results of a job go: the name of a delivery, or a table where it needs more than that. */
        JobTarget: components["schemas"]["JobMode"] | components["schemas"]["JobTargetTable"];
        /** @description How results are delivered, and where. */
        JobTargetTable: {
            /** @description `announce`, `direct`, `silent` or `webhook`. */
            mode: components["schemas"]["JobMode"];
            /**
             * @description With `announce`: the chat, for example `telegram:-100123`.
             * @default null
             */
            to?: string | null;
            /**
             * @description With `webhook`: the URL.
             * @default null
             */
            url?: string | null;
        };
        /** @description Scheduled jobs. */
        Jobs: {
            jobs: components["schemas"]["Job"][];
            next: string | null;
        };
        /** @description The last run of a job. */
        LastRun: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            at: string;
            run: string;
            state: string;
        };
        /** @description A session in a list. */
        ListedSession: {
            account: string;
            /**
             * Format: date-time
             * @description When its last message came, in the order of the latest messages.
             */
            active?: string | null;
            address: string;
            agent: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            archived: string | null;
            channel: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /**
             * Format: uint64
             * @description The number of the current conversation.
             */
            epoch: number;
            id: string;
            /** @description For example `agent:main:telegram:dm:4711`. */
            key: string;
            /**
             * Format: uint64
             * @description The highest number of a conversation.
             */
            last_epoch: number;
            /**
             * Format: date-time
             * @description When the person last wrote.
             */
            last_user_at: string | null;
            /** @description How the current conversation began, if the query asks for it. */
            opening?: string | null;
            /** @description The turn that runs. */
            running: string | null;
            scope: string;
            /**
             * Format: uint64
             * @description The number of its newest stored frame.
             */
            seq: number;
            thread: string | null;
            title: string | null;
            /**
             * Format: uint64
             * @description Number of messages that wait.
             */
            waiting: number;
        };
        /** @description The token of a browser that has logged in. No other response has it. */
        LoggedIn: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string | null;
            /** @description `owner`, `named` or `browser`. */
            kind: string;
            /** @description The name of the token. */
            name: string;
            person: string;
            /** @enum {string} */
            scope: "chat" | "app" | "read" | "admin";
            token: string;
        };
        /** @description A browser is logged out. */
        LoggedOut: Record<string, never>;
        /** @description A browser that logs in. */
        LoginRequest: {
            ticket: string;
        };
        /** @description An element of a text in Markdown. Raw HTML is text. */
        MarkupElement: {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "paragraph";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** Format: uint8 */
            level: number;
            /** @constant */
            type: "heading";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "quote";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** Format: uint64 */
            start?: number | null;
            /** @constant */
            type: "list";
        } | {
            children: components["schemas"]["MarkupNode"][];
            done?: boolean | null;
            /** @constant */
            type: "item";
        } | {
            language?: string | null;
            text: string;
            /** @constant */
            type: "pre";
        } | {
            align: (string | null)[];
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "table";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "row";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "cell";
        } | {
            /** @constant */
            type: "rule";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "bold";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "italic";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "strike";
        } | {
            text: string;
            /** @constant */
            type: "code";
        } | {
            children: components["schemas"]["MarkupNode"][];
            /** @constant */
            type: "link";
            url: string;
        };
        /** @description A piece of text, or what it is part of. In JSON a text is a string. */
        MarkupNode: string | components["schemas"]["MarkupElement"];
        /** @description A message with its answer. */
        Message: {
            answer: string | null;
            /** @description How the answer ends; null until the turn is done. */
            answer_end: string | null;
            attachments: components["schemas"]["TranscribedFile"][];
            disposition: string;
            /** Format: uint64 */
            epoch: number;
            /** @description Why the turn failed. */
            error: string | null;
            /** @description For example `m7`. */
            message: string;
            /** @description Who wrote it. */
            principal: string;
            /** @description Why it was not answered. */
            reason: string | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            /** @description The name that the writer shows. */
            sender: string | null;
            session: string;
            /** @description `accepted`, `answered`, `refused`, `superseded`, `cancelled` or `dead`, or a state before one of these. */
            state: string;
            text: string;
            turn: string | null;
            turn_state: string | null;
            usage: components["schemas"]["Usage"] | null;
        };
        /** @description The messages of a session. */
        Messages: {
            messages: components["schemas"]["Message"][];
            next: string | null;
        };
        /** @description What becomes of runs that could not begin in time, because the gateway did not run or the clock has jumped. */
        MissedRule: "run_once" | "skip" | "all";
        /** @description The runs that a run stands for, because the gateway was not there. */
        MissedRuns: {
            /** Format: uint64 */
            count: number;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            from: string;
            /** @description Whether there were more than were counted. */
            or_more: boolean;
        };
        /** @description An agent as a model. */
        Model: {
            /** Format: int64 */
            created: number;
            id: string;
            object: string;
            owned_by: string;
        };
        /** @description The agents, as models. */
        ModelList: {
            data: components["schemas"]["Model"][];
            object: string;
        };
        /** @description A file as a client sends it. */
        NewFile: {
            /** @description The name that people and the agent read. */
            name?: string | null;
            /** @description A data URL. */
            url: string;
        };
        /** @description A task as a client hands it over. */
        NewTask: {
            /** @description Unset means the agent that answers in the chat. */
            agent?: string | null;
            attachments?: components["schemas"]["NewFile"][];
            /** @description A session of the caller, which gets the result. A task has a session, an address or neither. */
            session?: string | null;
            /** @description What is to be done. */
            text: string;
            /** Format: uint64 */
            time_limit_s?: number | null;
            title?: string | null;
            /** @description The address that gets the result. */
            to?: string | null;
        };
        /** @description A token to be made. */
        NewToken: {
            /**
             * Format: uint64
             * @description For how many seconds it is valid; for ever if there is none.
             */
            expires_s?: number | null;
            name: string;
            /** @enum {string} */
            scope: "chat" | "app" | "read" | "admin";
        };
        /** @description A body without fields, `{}`. */
        NoFields: Record<string, never>;
        /** @description A function that a client offers. */
        OfferedFunction: {
            /** @default null */
            description?: string | null;
            name: string;
            /** @default null */
            parameters?: unknown;
            /** @default null */
            strict?: boolean | null;
        };
        /** @description A tool as a request describes it. */
        OfferedTool: {
            function?: components["schemas"]["OfferedFunction"] | null;
            type: string;
        };
        /** @description What becomes of a run that is due while another run of its job has not ended. */
        OverlapRule: "skip" | "queue";
        /** @description The account that the request must have come through; any if none is given. */
        PairingAccount: {
            /** @description An account needs its platform. */
            account?: string | null;
            platform?: string | null;
        };
        /** @description A pairing request, without its code. */
        PairingRequest: {
            account: string;
            /** @description The chat in which the person wrote. */
            address: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            asked: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string;
            /** Format: int64 */
            id: number;
            platform: string;
            /** @description The person as paths and lists name it, for example `telegram:4711`. */
            principal: string;
            /** @description The name that the person shows, with characters escaped that would hide or reorder text. */
            shown: string | null;
            /** @description The platform's stable id. */
            user: string;
        };
        /** @description The open pairing requests. */
        PairingRequests: {
            requests: components["schemas"]["PairingRequest"][];
        };
        /** @description One outgoing message. */
        Part: {
            /** @description `post`, `edit`, `delete`, `react` or `pin`. */
            act: string;
            /** Format: uint32 */
            attempts: number;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            error: string | null;
            /**
             * Format: date-time
             * @description Until when quiet hours hold it.
             */
            held_until: string | null;
            /** @description For example `o9`. */
            id: string;
            /** @description `answer`, `notice`, `send` or `result`. */
            kind: string;
            /** @description The message that it answers. */
            message: string | null;
            /**
             * Format: date-time
             * @description When it is tried next.
             */
            next_at: string;
            /** @description The platform's id of what was sent. */
            platform_message: string | null;
            /**
             * Format: uint64
             * @description Its number in the session.
             */
            seq: number | null;
            session: string | null;
            /** @description `queued`, `sending`, `sent`, `unknown`, `dead` or `dropped`. */
            state: string;
            text: string;
            /** @description The address. */
            to: string;
        };
        /** @description A part whose state an admin has changed. */
        PartState: {
            id: string;
            /** @enum {string} */
            state: "queued" | "dropped";
        };
        /** @description What is or was to be sent. */
        Parts: {
            next: string | null;
            parts: components["schemas"]["Part"][];
        };
        /** @description An account as callers without a token see it. */
        PublicAccount: {
            account: string;
            channel: string;
            ready: boolean;
        };
        /** @description What is to be sent to one chat. */
        Queued: {
            parts: components["schemas"]["Part"][];
            to: string;
        };
        /** @description What is to be sent to several chats. */
        QueuedBroadcast: {
            queued: components["schemas"]["Queued"][];
            /** @description Chats on no configured channel. */
            unknown: string[];
        };
        /** @description A message to a chat. Its sender learns neither the chat nor what became of it. */
        QueuedPart: {
            id: string;
            state: string;
        };
        /** @description Whether every account is connected. */
        Readiness: {
            accounts: components["schemas"]["ReadyAccount"][];
            ready: boolean;
        };
        /** @description An account: with a token all of it, without one only whether it is ready. */
        ReadyAccount: components["schemas"]["Account"] | components["schemas"]["PublicAccount"];
        /** @description A file that came with a message. */
        ReceivedFile: {
            /** @description `photo`, `voice`, `audio`, `video`, `document` or another kind of the platform. */
            kind: string;
            /** @description The media type that its sender states. */
            mime: string | null;
            name: string | null;
            /**
             * Format: uint64
             * @description In bytes.
             */
            size: number | null;
        };
        /** @description What a reload has changed or would change. */
        ReloadReport: {
            /** @description Whether nothing was applied. */
            plan: boolean;
        } & {
            [key: string]: unknown;
        };
        /** @description What a reload is asked to do. */
        ReloadRequest: {
            /**
             * @description Whether to say only what would change.
             * @default false
             */
            plan?: boolean;
        };
        /** @description A job that is removed. */
        RemovedJob: {
            removed: string;
        };
        /** @description An upload that is removed. */
        RemovedUpload: {
            removed: string;
        };
        /** @description A session with a new conversation. */
        ResetSession: {
            /** Format: uint64 */
            epoch: number;
            session: string;
        };
        /** @description The form of the answer: `text`. */
        ResponseFormat: {
            type: string;
        };
        /** @description A file that was sent with a result. */
        ResultFile: {
            kind: string;
            mime: string | null;
            name: string;
            /** @description Relative to the media folder. */
            path: string;
        };
        /** @description Permissions that are revoked, and what ended with them. */
        Revoked: {
            /**
             * Format: uint64
             * @description Parts that were not sent yet.
             */
            dropped: number;
            /**
             * Format: uint64
             * @description Number of revoked permissions.
             */
            grants: number;
            principal: string;
            /**
             * Format: uint
             * @description Turns that ran.
             */
            running: number;
            /** @description A sentence that says what was done. */
            said: string;
            scope: string | null;
            /**
             * Format: uint
             * @description Messages that waited.
             */
            waiting: number;
        };
        /** @description A token that is revoked, and what ended with it. */
        RevokedToken: {
            revoked: string;
            /**
             * Format: uint
             * @description Number of its turns that ran.
             */
            running: number;
            /**
             * Format: uint
             * @description Number of its messages that waited.
             */
            waiting: number;
        };
        /**
         * @description Who has said a message.
         * @enum {string}
         */
        Role: "system" | "developer" | "user" | "assistant" | "tool" | "function";
        /** @description One run of a job. */
        Run: {
            /** Format: uint32 */
            attempt: number;
            /** @description Whether the result was sent. */
            delivered: boolean | null;
            error: components["schemas"]["RunError"] | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            finished: string | null;
            /** @description For example `r5`. */
            id: string;
            job: string;
            /** @description Whether somebody started it by hand. */
            manual: boolean;
            missed: components["schemas"]["MissedRuns"] | null;
            /**
             * Format: date-time
             * @description When it was due.
             */
            scheduled: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            started: string | null;
            state: string;
            /** @description The result; a list has its beginning only. */
            text: string | null;
            /** Format: uint32 */
            tries: number;
            turn: string | null;
            /** @description The state of its webhook. */
            webhook: string | null;
        };
        /** @description Why a run has no result. */
        RunError: {
            code: string;
            message: string;
        };
        /** @description A run that has begun. */
        RunStarted: {
            run: string;
        };
        /** @description The runs of a job. */
        Runs: {
            next: string | null;
            runs: components["schemas"]["Run"][];
        };
        /** @description What happens now, in words. */
        Said: {
            said: string;
        };
        /** @description When a job runs. */
        Schedule: {
            expr: string;
            /** @description `cron`, `every` or `at`. */
            kind: string;
            timezone: string;
        };
        /** @description How the expression of a schedule is to be read. */
        ScheduleKind: "cron" | "every" | "at";
        /** @description A message to a chat. It has a text, a file or both. */
        SendRequest: {
            /** @description The message in the platform's own form, on Slack. */
            blocks?: unknown;
            /** @description A file, relative to the media folder. */
            media?: string | null;
            /**
             * @description In Markdown.
             * @default
             */
            text?: string;
            /** @description The address, for example `telegram:4711`. */
            to: string;
            /**
             * @description Whether quiet hours do not hold it.
             * @default false
             */
            urgent?: boolean;
        };
        /** @description A file that was sent to a chat. */
        SentFile: {
            /** @description For example `o9`. */
            id: string;
            kind: string;
            mime: string | null;
            name: string;
            /**
             * Format: uint64
             * @description In bytes.
             */
            size: number | null;
        };
        /** @description What is left out stays as it is; a title of `null` removes it. */
        SessionChangeRequest: {
            archived?: boolean | null;
            /** @default null */
            title?: string | null;
        };
        /** @description A session with what its agent has reported of the current conversation. */
        SessionDetails: {
            account: string;
            address: string;
            agent: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            archived: string | null;
            channel: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /**
             * Format: uint64
             * @description The number of the current conversation.
             */
            epoch: number;
            /** @description Its conversations, the newest first. */
            epochs: components["schemas"]["Epoch"][];
            failover: components["schemas"]["Failover"] | null;
            id: string;
            /** @description For example `agent:main:telegram:dm:4711`. */
            key: string;
            /**
             * Format: uint64
             * @description The highest number of a conversation.
             */
            last_epoch: number;
            /**
             * Format: date-time
             * @description When the person last wrote.
             */
            last_user_at: string | null;
            /** @description The model that answers next; null if only the agent knows. */
            model: string | null;
            options: components["schemas"]["ChosenOptions"];
            queue: components["schemas"]["SessionQueue"];
            /** @description The turn that runs. */
            running: string | null;
            scope: string;
            /**
             * Format: uint64
             * @description The number of its newest stored frame.
             */
            seq: number;
            thinking: string | null;
            thread: string | null;
            title: string | null;
            /** @description The usage of the last answer. */
            usage: components["schemas"]["Usage"] | null;
            usage_total: components["schemas"]["UsageTotal"];
            /**
             * Format: uint64
             * @description Number of messages that wait.
             */
            waiting: number;
        };
        /** @description How messages wait. */
        SessionQueue: {
            /** @description The mode that was chosen in the chat. */
            chosen: string | null;
            /** @enum {string} */
            mode: "followup" | "collect" | "steer" | "interrupt";
            /** @description The messages that wait, the oldest first. */
            waiting: components["schemas"]["WaitingMessage"][];
        };
        /** @description A page of sessions. */
        Sessions: {
            next: string | null;
            sessions: components["schemas"]["ListedSession"][];
        };
        /** @description The configuration in use. */
        ShownConfig: {
            config: unknown;
        };
        /** @description Turns, tokens and cost of one agent on one day. */
        Spent: {
            agent: string;
            /**
             * Format: uint64
             * @description In millionths of the currency in which the agent counts.
             */
            cost_micro: number;
            /** Format: uint64 */
            input_tokens: number;
            /** Format: uint64 */
            output_tokens: number;
            /** Format: uint64 */
            turns: number;
        };
        /** @description Who asks. */
        StatusCaller: {
            /** @enum {string} */
            scope: "chat" | "app" | "read" | "admin";
            /** @description The person for whom the token stands. */
            token: string;
        };
        /** @description An account that an admin has disconnected. */
        StoppedAccount: {
            account: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            at: string;
            by: string;
            channel: string;
        };
        /** @description Numbers of the cancelled turns and of the cancelled messages that waited. */
        StoppedSession: {
            /** Format: uint */
            running: number;
            session: string;
            /** Format: uint */
            waiting: number;
        };
        /** @description What a stream has besides the answer. */
        StreamOptions: {
            /** @default false */
            include_usage?: boolean | null;
        };
        /** @description A task that is stored. */
        SubmittedTask: {
            session: string;
            state: string;
            /** @description For example `b4`. */
            task: string;
        };
        /** @description A background task. */
        Task: {
            agent: string;
            /**
             * Format: uint32
             * @description Grows with each attempt.
             */
            attempt: number;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /** @description Whether the result was sent; null if it goes to no chat. */
            delivered: boolean | null;
            error: components["schemas"]["TaskError"] | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            finished: string | null;
            /** @description For example `b4`. */
            id: string;
            /** @description The session in which it was handed over. */
            origin: string | null;
            owner: string;
            owner_name: string | null;
            progress: components["schemas"]["TaskProgress"];
            /** @description The task that it repeats. */
            retry_of: string | null;
            /** @description The task's own session. */
            session: string;
            /** @enum {string} */
            source: "chat" | "api" | "cli" | "ws" | "agent" | "event" | "start";
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            started: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out" | "lost";
            /** Format: uint64 */
            time_limit_s: number;
            title: string;
            /** @description The address to which its result goes. */
            to: string | null;
        };
        /** @description A task with its text, its open questions, and its result with the files that were sent with it. */
        TaskDetails: {
            agent: string;
            asks: components["schemas"]["Ask"][];
            /**
             * Format: uint32
             * @description Grows with each attempt.
             */
            attempt: number;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /** @description Whether the result was sent; null if it goes to no chat. */
            delivered: boolean | null;
            error: components["schemas"]["TaskError"] | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            finished: string | null;
            /** @description For example `b4`. */
            id: string;
            /** @description The session in which it was handed over. */
            origin: string | null;
            owner: string;
            owner_name: string | null;
            progress: components["schemas"]["TaskProgress"];
            /** @description Set once the task has succeeded. */
            result: components["schemas"]["TaskResult"] | null;
            /** @description The task that it repeats. */
            retry_of: string | null;
            /** @description The task's own session. */
            session: string;
            /** @enum {string} */
            source: "chat" | "api" | "cli" | "ws" | "agent" | "event" | "start";
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            started: string | null;
            /** @enum {string} */
            state: "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out" | "lost";
            text: string;
            /** Format: uint64 */
            time_limit_s: number;
            title: string;
            /** @description The address to which its result goes. */
            to: string | null;
        };
        /** @description Why a task has no result. */
        TaskError: {
            code: string;
            message: string;
            /** @description What its agent had said until then. */
            text?: string | null;
        };
        /** @description How far a task is. */
        TaskProgress: {
            /** Format: uint8 */
            percent: number | null;
            text: string | null;
        };
        /** @description The result of a task. */
        TaskResult: {
            files: components["schemas"]["ResultFile"][];
            text: string;
        };
        /** @description Background tasks. */
        Tasks: {
            next: string | null;
            tasks: components["schemas"]["Task"][];
        };
        /** @description A ticket with which one browser can log in. */
        Ticket: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string;
            /** @description What follows the gateway's URL in a login link. */
            path: string;
            ticket: string;
        };
        /** @description A ticket to be made. */
        TicketRequest: {
            /**
             * Format: uint64
             * @description For how many seconds it is valid.
             */
            expires_s?: number | null;
        };
        /** @description What a chat has shown. */
        Timeline: {
            items: components["schemas"]["TimelineItem"][];
            next: string | null;
        };
        /** @description One thing that a chat has shown. */
        TimelineItem: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            at: string;
        } & ({
            answer: string | null;
            /** @description How the answer ends; null until the turn is done. */
            answer_end: string | null;
            attachments: components["schemas"]["TranscribedFile"][];
            disposition: string;
            /** Format: uint64 */
            epoch: number;
            /** @description Why the turn failed. */
            error: string | null;
            /** @description The answer as a tree, if it is more than one plain paragraph. */
            markup: components["schemas"]["MarkupNode"][] | null;
            /** @description For example `m7`. */
            message: string;
            /** @description Who wrote it. */
            principal: string;
            /** @description Why it was not answered. */
            reason: string | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            /** @description The name that the writer shows. */
            sender: string | null;
            session: string;
            /** @description `accepted`, `answered`, `refused`, `superseded`, `cancelled` or `dead`, or a state before one of these. */
            state: string;
            text: string;
            turn: string | null;
            turn_state: string | null;
            /** @constant */
            type: "prompt";
            usage: components["schemas"]["Usage"] | null;
        } | {
            frame: components["schemas"]["TypedFrame"];
            /** @constant */
            type: "frame";
        } | {
            /** Format: uint64 */
            epoch: number;
            reason: string;
            /** @constant */
            type: "epoch";
        });
        /** @description A token without its secret. */
        Token: {
            /** @description Who made it. */
            by: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            created: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string | null;
            /** @description The person for whom it stands. */
            holder: string;
            /** @description `owner`, `named` or `browser`. */
            kind: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            last_used: string | null;
            name: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            revoked: string | null;
            /** @enum {string} */
            scope: "chat" | "app" | "read" | "admin";
            /** @enum {string} */
            state: "valid" | "expired" | "revoked";
        };
        /** @description Tokens without their secrets. */
        TokenList: {
            tokens: components["schemas"]["Token"][];
        };
        /** @description How long the new secret of a token is valid. */
        TokenRotation: {
            /**
             * Format: uint64
             * @description In seconds; for ever if there is none.
             */
            expires_s?: number | null;
        };
        /** @description A token with its secret, which no other response has. */
        TokenSecret: {
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            expires: string | null;
            name: string;
            token: string;
        };
        /** @description A call of a tool in an earlier answer. */
        ToolCall: {
            function: components["schemas"]["FunctionCall"];
        };
        /** @description Counts of rows. */
        Totals: {
            /** Format: uint64 */
            asks: number;
            /** Format: uint64 */
            dead_letters: number;
            /** Format: uint64 */
            dead_letters_deleted: number;
            /** Format: uint64 */
            dead_parts: number;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            oldest_part: string | null;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            oldest_waiting: string | null;
            /** Format: uint64 */
            outbox: number;
            /** Format: uint64 */
            running: number;
            /** Format: uint64 */
            sessions: number;
            /** Format: uint64 */
            waiting: number;
        };
        /** @description A file that came with a message, with what is said in it. */
        TranscribedFile: {
            /** @description `photo`, `voice`, `audio`, `video`, `document` or another kind of the platform. */
            kind: string;
            /** @description The media type that its sender states. */
            mime: string | null;
            name: string | null;
            /**
             * Format: uint64
             * @description In bytes.
             */
            size: number | null;
            transcript: string | null;
        };
        /** @description A frame as it is serialized. */
        TypedFrame: {
            /** Format: uint8 */
            protocol: number;
            /** @constant */
            type: "ready";
        } | {
            /** @description The id of the prompt. */
            id?: unknown;
            message: string;
            session: string;
            /** @constant */
            type: "accepted";
        } | {
            /** Format: uint32 */
            attempt: number;
            message?: string | null;
            messages?: string[];
            session?: string | null;
            text: string;
            /** @constant */
            type: "delta";
            /** @description It is the whole text so far. */
            whole?: boolean;
        } | {
            attachments?: components["schemas"]["ReceivedFile"][];
            id: string;
            message: string;
            session: string;
            text: string;
            /** @constant */
            type: "prompt";
        } | {
            fullText: string;
            markup?: components["schemas"]["MarkupNode"][] | null;
            message?: string | null;
            messages?: string[];
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            /** @constant */
            type: "done";
        } | {
            file: components["schemas"]["SentFile"];
            kind: string;
            markup?: components["schemas"]["MarkupNode"][] | null;
            message?: string | null;
            messages?: string[];
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            /** @description The caption. */
            text: string;
            /** @constant */
            type: "file";
        } | {
            kind: string;
            markup?: components["schemas"]["MarkupNode"][] | null;
            message?: string | null;
            messages?: string[];
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            text: string;
            /** @constant */
            type: "message";
        } | {
            ask: string;
            /** @description Its choices; none for free text. */
            choices: components["schemas"]["Choice"][];
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            deadline: string;
            /** @enum {string} */
            kind: "permission" | "choice" | "confirm" | "input";
            /** @description The text as a tree, if it is more than one plain paragraph. */
            markup?: components["schemas"]["MarkupNode"][] | null;
            /** @description Whether the reader may answer it. */
            may_answer: boolean;
            message?: string | null;
            messages?: string[];
            /** @description Nothing else answers its message. */
            reply?: boolean;
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            /** @description In Markdown. */
            text: string;
            /** @constant */
            type: "ask";
        } | {
            /** @description The answer in words. */
            answer?: string | null;
            ask: string;
            /** @description Who answered. */
            by?: string | null;
            by_name?: string | null;
            /** @description The id of the choice. */
            choice?: string | null;
            /** @description The id of the answer's frame, if it is this client's. */
            id?: unknown;
            message?: string | null;
            messages?: string[];
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            /** @enum {string} */
            state: "open" | "answered" | "expired" | "cancelled";
            /** @constant */
            type: "ask_closed";
        } | {
            /** Format: uint32 */
            attempt: number;
            error?: components["schemas"]["TaskError"] | null;
            /** Format: uint64 */
            seq?: number | null;
            session?: string | null;
            state: string;
            task: string;
            title: string;
            /** @constant */
            type: "task";
        } | {
            /** Format: uint32 */
            attempt: number;
            message?: string | null;
            messages?: string[];
            /** Format: uint8 */
            percent: number | null;
            session?: string | null;
            task?: string | null;
            text: string | null;
            /** @constant */
            type: "progress";
        } | {
            message?: string | null;
            messages?: string[];
            model: string | null;
            session?: string | null;
            state: string;
            /** @constant */
            type: "status";
            usage: components["schemas"]["UsageNumbers"] | null;
        } | {
            /** @description The message that the error is about. */
            about?: string | null;
            /** @description For programs, for example `not_found`. */
            code: string;
            /** @description Why the turn failed. */
            detail?: string | null;
            /** @description How to send a message again that was refused. */
            hint?: string | null;
            /** @description The id of the client's frame. */
            id?: unknown;
            /** @description For people: what is wrong, and what to do. */
            message: string;
            /** @description All messages of the turn, if there are several. */
            messages?: string[];
            /**
             * Format: uint64
             * @description Seconds to wait before another attempt.
             */
            retry_after?: number | null;
            session?: string | null;
            /** @description The text that the agent had written before its turn ended. */
            text?: string | null;
            /** @constant */
            type: "error";
        } | {
            /** @constant */
            type: "typing";
        } | {
            session: string | null;
            /** @constant */
            type: "gap";
        } | {
            /** @constant */
            type: "pong";
        };
        /** @description A person who is blocked no more. */
        Unblocked: {
            /** @description Whether the person was blocked. */
            before: boolean;
            principal: string;
            /** @description A sentence that says what was done. */
            said: string;
        };
        /** @description A file that is uploaded. */
        Upload: {
            /** @description The name by which messages and paths call it. */
            file: string;
            /** @description `photo`, `voice`, `audio`, `video`, `document` or another kind of the platform. */
            kind: string;
            /** @description The media type that its sender states. */
            mime: string | null;
            name: string | null;
            /**
             * Format: uint64
             * @description In bytes.
             */
            size: number | null;
        };
        /** @description What an upload may have. */
        UploadLimits: {
            /**
             * Format: uint64
             * @description Maximum size of a file.
             */
            max_bytes: number;
            /**
             * Format: uint
             * @description Maximum number of files of one message.
             */
            max_files: number;
        };
        /** @description The usage of a turn. */
        Usage: {
            /** Format: uint64 */
            cache_read: number | null;
            /** Format: uint64 */
            cache_write: number | null;
            /**
             * Format: uint64
             * @description Tokens of the context window that are used now.
             */
            context_used: number | null;
            /**
             * Format: uint64
             * @description Size of the context window in tokens.
             */
            context_window: number | null;
            /**
             * Format: uint64
             * @description In millionths of the currency in which the agent counts.
             */
            cost_micro: number | null;
            /** Format: uint64 */
            input: number | null;
            model: string | null;
            /** Format: uint64 */
            output: number | null;
        };
        /** @description Tokens and cost of a turn; null where the agent does not count something. */
        UsageNumbers: {
            /** Format: uint64 */
            cache_read: number | null;
            /** Format: uint64 */
            cache_write: number | null;
            /**
             * Format: uint64
             * @description Tokens of the context window that are used now.
             */
            context_used: number | null;
            /**
             * Format: uint64
             * @description Size of the context window in tokens.
             */
            context_window: number | null;
            /**
             * Format: uint64
             * @description In millionths of the currency in which the agent counts.
             */
            cost_micro: number | null;
            /** Format: uint64 */
            input: number | null;
            /** Format: uint64 */
            output: number | null;
        };
        /** @description What all answers of a conversation have used. */
        UsageTotal: {
            /** Format: uint64 */
            answers: number;
            /** Format: uint64 */
            cache_read: number | null;
            /** Format: uint64 */
            cache_write: number | null;
            /** Format: uint64 */
            cost_micro: number | null;
            /** Format: uint64 */
            input: number | null;
            /** Format: uint64 */
            output: number | null;
        };
        /** @description The platform's id of a person. Many platforms' user ids are numbers. */
        UserId: string | number;
        /** @description A message that waits. */
        WaitingMessage: {
            /**
             * Format: uint
             * @description Number of its files.
             */
            attachments: number;
            message: string;
            principal: string;
            /**
             * Format: date-time
             * @description A time as RFC 3339 in UTC, with milliseconds.
             */
            received: string;
            sender: string | null;
            text: string;
        };
        /** @description A call of a method, with its parameters. */
        Call: {
            id?: components["schemas"]["FrameId"] | null;
        } & ({
            /** @constant */
            method: "session.list";
            params: components["schemas"]["SessionsQuery"] | null;
        } | {
            /** @constant */
            method: "session.get";
            params: components["schemas"]["SessionName"];
        } | {
            /** @constant */
            method: "session.kill";
            params: components["schemas"]["SessionName"];
        } | {
            /** @constant */
            method: "session.reset";
            params: components["schemas"]["SessionName"];
        } | {
            /** @constant */
            method: "cron.list";
            params: components["schemas"]["JobsQuery"] | null;
        } | {
            /** @constant */
            method: "cron.run";
            params: components["schemas"]["JobName"];
        } | {
            /** @constant */
            method: "cron.pause";
            params: components["schemas"]["JobName"];
        } | {
            /** @constant */
            method: "cron.resume";
            params: components["schemas"]["JobName"];
        } | {
            /** @constant */
            method: "config.reload";
            params: components["schemas"]["ReloadRequest"] | null;
        } | {
            /** @constant */
            method: "task.submit";
            params: components["schemas"]["KeyedTask"];
        } | {
            /** @constant */
            method: "task.list";
            params: components["schemas"]["TasksQuery"] | null;
        } | {
            /** @constant */
            method: "task.get";
            params: components["schemas"]["TaskName"];
        } | {
            /** @constant */
            method: "task.cancel";
            params: components["schemas"]["TaskName"];
        } | {
            /** @constant */
            method: "task.retry";
            params: components["schemas"]["TaskName"];
        });
        /** @description The result of a call. Of which kind it is follows from the call that has the same id. */
        CallResult: {
            id?: components["schemas"]["FrameId"] | null;
            result: components["schemas"]["MethodResult"];
        };
        /** @description A frame that a client sends: one with a type, or a call. Fields that the gateway does not know are ignored. */
        ClientFrame: components["schemas"]["ClientMessage"] | components["schemas"]["Call"];
        /** @description What a client's frame says. */
        ClientMessage: {
            token: string;
            /** @constant */
            type: "auth";
            /** @description For whom a program calls. */
            user?: string | null;
        } | {
            /** @default main */
            chat?: string | null;
            /**
             * @description Uploads of the client.
             * @default []
             */
            files?: string[];
            /** @description Unique in the chat: a repeated id with the same text is the same message. One is made without it. */
            id?: string | null;
            /** @default  */
            text?: string;
            /** @constant */
            type: "prompt";
        } | {
            /** @default main */
            chat?: string | null;
            session?: string | null;
            /** @constant */
            type: "abort";
        } | {
            /** @default main */
            chat?: string | null;
            /**
             * @description Whether to send what others write too, and the text so far of an answer that is being written.
             * @default false
             */
            follow?: boolean;
            /**
             * Format: uint64
             * @default 0
             */
            last_seq?: number;
            session?: string | null;
            /** @constant */
            type: "resume";
        } | {
            ask: string;
            /** @description The id of a choice. */
            choice?: string | null;
            id?: unknown;
            text?: string | null;
            /** @constant */
            type: "answer";
        } | {
            /** @constant */
            type: "ping";
        };
        /** @description A session that a client follows from now on. */
        FollowedSession: {
            /**
             * Format: uint64
             * @description The number of the last stored frame that was sent.
             */
            seq: number;
            session: string;
        };
        /** @description The client's id of a frame, which the answers to it repeat. */
        FrameId: string | number;
        /** @description The job that a call is about. */
        JobName: {
            id: string;
        };
        JobsQuery: {
            /** @description `next` of the page before. */
            cursor?: string | null;
            /** Format: uint32 */
            limit?: number | null;
            /** @enum {string|null} */
            state?: "active" | "paused" | "disabled" | "done" | null;
        };
        /** @description A task with the key by which a repetition is recognised. */
        KeyedTask: {
            /** @description Unset means the agent that answers in the chat. */
            agent?: string | null;
            attachments?: components["schemas"]["NewFile"][];
            idempotency_key?: string | null;
            /** @description A session of the caller, which gets the result. A task has a session, an address or neither. */
            session?: string | null;
            /** @description What is to be done. */
            text: string;
            /** Format: uint64 */
            time_limit_s?: number | null;
            title?: string | null;
            /** @description The address that gets the result. */
            to?: string | null;
        };
        MethodResult: components["schemas"]["Sessions"] | components["schemas"]["SessionDetails"] | components["schemas"]["StoppedSession"] | components["schemas"]["ResetSession"] | components["schemas"]["Jobs"] | components["schemas"]["JobDetails"] | components["schemas"]["RunStarted"] | components["schemas"]["ReloadReport"] | components["schemas"]["SubmittedTask"] | components["schemas"]["Tasks"] | components["schemas"]["TaskDetails"] | components["schemas"]["Task"] | components["schemas"]["FollowedSession"];
        /** @description A frame that the gateway sends: one with a type, or the result of a call. */
        ServerFrame: components["schemas"]["TypedFrame"] | components["schemas"]["CallResult"];
        /** @description The session that a call is about. */
        SessionName: {
            key: string;
        };
        /** @description Selects sessions. */
        SessionsQuery: {
            /** @description `next` of the page before. */
            after?: string | null;
            agent?: string | null;
            /**
             * @description Only those in which something waits or runs.
             * @default false
             */
            busy?: boolean;
            channel?: string | null;
            /** @description Only sessions with this text in their key or title. */
            find?: string | null;
            /** Format: uint32 */
            limit?: number | null;
            /**
             * @description Whether to say how the current conversation of each began.
             * @default false
             */
            openings?: boolean;
            /**
             * @description By their keys, or the one with the latest message first.
             * @enum {string}
             */
            order?: "key" | "recent";
        };
        /** @description The task that a call is about. */
        TaskName: {
            /** @description The same for every repetition of one request. */
            idempotency_key?: string | null;
            task: string;
        };
        /** @description Which tasks a client asks for. */
        TasksQuery: {
            /** @description `next` of the page before. */
            cursor?: string | null;
            /** Format: uint32 */
            limit?: number | null;
            /**
             * @description Unset means `all`.
             * @enum {string|null}
             */
            state?: "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out" | "lost" | "open" | "all" | null;
        };
    };
    responses: {
        /** @description The agent or the platform has failed */
        BadGateway: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description Something in the request is not valid, or a token is in the URL */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The state does not allow that, or the key was used for another request */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The token may not do that, or the page that sent the request may not */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description Something went wrong in the gateway; its log says what */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The name in the `Host` header is not the gateway's */
        Misdirected: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The disk is full */
        NoSpace: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The response has no form that the request accepts */
        NotAcceptable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description What the request names is not there */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The body is larger than the limits of the gateway allow */
        PayloadTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The body did not arrive in time */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description A limit, a quota or a budget is used up */
        TooManyRequests: {
            headers: {
                /** @description Seconds to wait */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The request shows no valid token */
        Unauthorized: {
            headers: {
                /** @description The scheme */
                "WWW-Authenticate"?: "Bearer";
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The gateway is busy, is stopping or cannot store anything at the moment */
        Unavailable: {
            headers: {
                /** @description Seconds to wait */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The event does not have what the endpoint's template names */
        Unreadable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The body is not JSON, or it is compressed */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
        /** @description The path is a WebSocket */
        UpgradeRequired: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorBody"];
            };
        };
    };
    parameters: {
        /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
        IdempotencyKey: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AcceptedEvent = components['schemas']['AcceptedEvent'];
export type AcceptedMessage = components['schemas']['AcceptedMessage'];
export type AccessGrant = components['schemas']['AccessGrant'];
export type AccessList = components['schemas']['AccessList'];
export type Account = components['schemas']['Account'];
export type AccountName = components['schemas']['AccountName'];
export type AgentStatus = components['schemas']['AgentStatus'];
export type AnsweredMessage = components['schemas']['AnsweredMessage'];
export type ApprovedPairing = components['schemas']['ApprovedPairing'];
export type Ask = components['schemas']['Ask'];
export type AskAudience = components['schemas']['AskAudience'];
export type Asks = components['schemas']['Asks'];
export type AuditEntry = components['schemas']['AuditEntry'];
export type AuditLog = components['schemas']['AuditLog'];
export type Blocked = components['schemas']['Blocked'];
export type BlockedPerson = components['schemas']['BlockedPerson'];
export type BroadcastRequest = components['schemas']['BroadcastRequest'];
export type Budget = components['schemas']['Budget'];
export type BudgetLimits = components['schemas']['BudgetLimits'];
export type BudgetRequest = components['schemas']['BudgetRequest'];
export type BudgetSetting = components['schemas']['BudgetSetting'];
export type Budgets = components['schemas']['Budgets'];
export type Candidate = components['schemas']['Candidate'];
export type ChannelSwitched = components['schemas']['ChannelSwitched'];
export type ChartPoint = components['schemas']['ChartPoint'];
export type Charts = components['schemas']['Charts'];
export type ChatCompletion = components['schemas']['ChatCompletion'];
export type ChatMessage = components['schemas']['ChatMessage'];
export type ChatRequest = components['schemas']['ChatRequest'];
export type ChatSetting = components['schemas']['ChatSetting'];
export type Choice = components['schemas']['Choice'];
export type ChosenOptions = components['schemas']['ChosenOptions'];
export type CompletionRequest = components['schemas']['CompletionRequest'];
export type ConfiguredAccess = components['schemas']['ConfiguredAccess'];
export type ContentPart = components['schemas']['ContentPart'];
export type DeadLetter = components['schemas']['DeadLetter'];
export type DeadLetterContent = components['schemas']['DeadLetterContent'];
export type DeadLetters = components['schemas']['DeadLetters'];
export type Delivery = components['schemas']['Delivery'];
export type DeniedPairing = components['schemas']['DeniedPairing'];
export type DroppedDeadLetters = components['schemas']['DroppedDeadLetters'];
export type Epoch = components['schemas']['Epoch'];
export type ErasedSession = components['schemas']['ErasedSession'];
export type ErrorBody = components['schemas']['ErrorBody'];
export type ErrorFields = components['schemas']['ErrorFields'];
export type EventReply = components['schemas']['EventReply'];
export type Failover = components['schemas']['Failover'];
export type FoundMessage = components['schemas']['FoundMessage'];
export type FoundMessages = components['schemas']['FoundMessages'];
export type FunctionCall = components['schemas']['FunctionCall'];
export type GatewayStatus = components['schemas']['GatewayStatus'];
export type GivenAnswer = components['schemas']['GivenAnswer'];
export type GrantRequest = components['schemas']['GrantRequest'];
export type Granted = components['schemas']['Granted'];
export type Group = components['schemas']['Group'];
export type Groups = components['schemas']['Groups'];
export type Health = components['schemas']['Health'];
export type Identity = components['schemas']['Identity'];
export type ImageUrl = components['schemas']['ImageUrl'];
export type Job = components['schemas']['Job'];
export type JobChange = components['schemas']['JobChange'];
export type JobDetails = components['schemas']['JobDetails'];
export type JobDraft = components['schemas']['JobDraft'];
export type JobMode = components['schemas']['JobMode'];
export type JobSchedule = components['schemas']['JobSchedule'];
export type JobTarget = components['schemas']['JobTarget'];
export type JobTargetTable = components['schemas']['JobTargetTable'];
export type Jobs = components['schemas']['Jobs'];
export type LastRun = components['schemas']['LastRun'];
export type ListedSession = components['schemas']['ListedSession'];
export type LoggedIn = components['schemas']['LoggedIn'];
export type LoggedOut = components['schemas']['LoggedOut'];
export type LoginRequest = components['schemas']['LoginRequest'];
export type MarkupElement = components['schemas']['MarkupElement'];
export type MarkupNode = components['schemas']['MarkupNode'];
export type Message = components['schemas']['Message'];
export type Messages = components['schemas']['Messages'];
export type MissedRule = components['schemas']['MissedRule'];
export type MissedRuns = components['schemas']['MissedRuns'];
export type Model = components['schemas']['Model'];
export type ModelList = components['schemas']['ModelList'];
export type NewFile = components['schemas']['NewFile'];
export type NewTask = components['schemas']['NewTask'];
export type NewToken = components['schemas']['NewToken'];
export type NoFields = components['schemas']['NoFields'];
export type OfferedFunction = components['schemas']['OfferedFunction'];
export type OfferedTool = components['schemas']['OfferedTool'];
export type OverlapRule = components['schemas']['OverlapRule'];
export type PairingAccount = components['schemas']['PairingAccount'];
export type PairingRequest = components['schemas']['PairingRequest'];
export type PairingRequests = components['schemas']['PairingRequests'];
export type Part = components['schemas']['Part'];
export type PartState = components['schemas']['PartState'];
export type Parts = components['schemas']['Parts'];
export type PublicAccount = components['schemas']['PublicAccount'];
export type Queued = components['schemas']['Queued'];
export type QueuedBroadcast = components['schemas']['QueuedBroadcast'];
export type QueuedPart = components['schemas']['QueuedPart'];
export type Readiness = components['schemas']['Readiness'];
export type ReadyAccount = components['schemas']['ReadyAccount'];
export type ReceivedFile = components['schemas']['ReceivedFile'];
export type ReloadReport = components['schemas']['ReloadReport'];
export type ReloadRequest = components['schemas']['ReloadRequest'];
export type RemovedJob = components['schemas']['RemovedJob'];
export type RemovedUpload = components['schemas']['RemovedUpload'];
export type ResetSession = components['schemas']['ResetSession'];
export type ResponseFormat = components['schemas']['ResponseFormat'];
export type ResultFile = components['schemas']['ResultFile'];
export type Revoked = components['schemas']['Revoked'];
export type RevokedToken = components['schemas']['RevokedToken'];
export type Role = components['schemas']['Role'];
export type Run = components['schemas']['Run'];
export type RunError = components['schemas']['RunError'];
export type RunStarted = components['schemas']['RunStarted'];
export type Runs = components['schemas']['Runs'];
export type Said = components['schemas']['Said'];
export type Schedule = components['schemas']['Schedule'];
export type ScheduleKind = components['schemas']['ScheduleKind'];
export type SendRequest = components['schemas']['SendRequest'];
export type SentFile = components['schemas']['SentFile'];
export type SessionChangeRequest = components['schemas']['SessionChangeRequest'];
export type SessionDetails = components['schemas']['SessionDetails'];
export type SessionQueue = components['schemas']['SessionQueue'];
export type Sessions = components['schemas']['Sessions'];
export type ShownConfig = components['schemas']['ShownConfig'];
export type Spent = components['schemas']['Spent'];
export type StatusCaller = components['schemas']['StatusCaller'];
export type StoppedAccount = components['schemas']['StoppedAccount'];
export type StoppedSession = components['schemas']['StoppedSession'];
export type StreamOptions = components['schemas']['StreamOptions'];
export type SubmittedTask = components['schemas']['SubmittedTask'];
export type Task = components['schemas']['Task'];
export type TaskDetails = components['schemas']['TaskDetails'];
export type TaskError = components['schemas']['TaskError'];
export type TaskProgress = components['schemas']['TaskProgress'];
export type TaskResult = components['schemas']['TaskResult'];
export type Tasks = components['schemas']['Tasks'];
export type Ticket = components['schemas']['Ticket'];
export type TicketRequest = components['schemas']['TicketRequest'];
export type Timeline = components['schemas']['Timeline'];
export type TimelineItem = components['schemas']['TimelineItem'];
export type Token = components['schemas']['Token'];
export type TokenList = components['schemas']['TokenList'];
export type TokenRotation = components['schemas']['TokenRotation'];
export type TokenSecret = components['schemas']['TokenSecret'];
export type ToolCall = components['schemas']['ToolCall'];
export type Totals = components['schemas']['Totals'];
export type TranscribedFile = components['schemas']['TranscribedFile'];
export type TypedFrame = components['schemas']['TypedFrame'];
export type Unblocked = components['schemas']['Unblocked'];
export type Upload = components['schemas']['Upload'];
export type UploadLimits = components['schemas']['UploadLimits'];
export type Usage = components['schemas']['Usage'];
export type UsageNumbers = components['schemas']['UsageNumbers'];
export type UsageTotal = components['schemas']['UsageTotal'];
export type UserId = components['schemas']['UserId'];
export type WaitingMessage = components['schemas']['WaitingMessage'];
export type Call = components['schemas']['Call'];
export type CallResult = components['schemas']['CallResult'];
export type ClientFrame = components['schemas']['ClientFrame'];
export type ClientMessage = components['schemas']['ClientMessage'];
export type FollowedSession = components['schemas']['FollowedSession'];
export type FrameId = components['schemas']['FrameId'];
export type JobName = components['schemas']['JobName'];
export type JobsQuery = components['schemas']['JobsQuery'];
export type KeyedTask = components['schemas']['KeyedTask'];
export type MethodResult = components['schemas']['MethodResult'];
export type ServerFrame = components['schemas']['ServerFrame'];
export type SessionName = components['schemas']['SessionName'];
export type SessionsQuery = components['schemas']['SessionsQuery'];
export type TaskName = components['schemas']['TaskName'];
export type TasksQuery = components['schemas']['TasksQuery'];
export type ResponseBadGateway = components['responses']['BadGateway'];
export type ResponseBadRequest = components['responses']['BadRequest'];
export type ResponseConflict = components['responses']['Conflict'];
export type ResponseForbidden = components['responses']['Forbidden'];
export type ResponseInternal = components['responses']['Internal'];
export type ResponseMisdirected = components['responses']['Misdirected'];
export type ResponseNoSpace = components['responses']['NoSpace'];
export type ResponseNotAcceptable = components['responses']['NotAcceptable'];
export type ResponseNotFound = components['responses']['NotFound'];
export type ResponsePayloadTooLarge = components['responses']['PayloadTooLarge'];
export type ResponseRequestTimeout = components['responses']['RequestTimeout'];
export type ResponseTooManyRequests = components['responses']['TooManyRequests'];
export type ResponseUnauthorized = components['responses']['Unauthorized'];
export type ResponseUnavailable = components['responses']['Unavailable'];
export type ResponseUnreadable = components['responses']['Unreadable'];
export type ResponseUnsupportedMediaType = components['responses']['UnsupportedMediaType'];
export type ResponseUpgradeRequired = components['responses']['UpgradeRequired'];
export type ParameterIdempotencyKey = components['parameters']['IdempotencyKey'];
export type $defs = Record<string, never>;
export interface operations {
    page_index: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @description Only people with this text in their id or name. */
                find?: string;
                /** @description How many people a page has; all, if it is left out. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_grant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Granted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_revoke: {
        parameters: {
            query?: {
                /** @description `dm`, `admin` or `group:ID`; unset means all. */
                scope?: string;
            };
            header?: never;
            path: {
                /** @description A person, for example `telegram:4711` */
                principal: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revoked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_block: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description A person, for example `telegram:4711` */
                principal: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Blocked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_unblock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A person, for example `telegram:4711` */
                principal: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Unblocked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_list_alias: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @description Only people with this text in their id or name. */
                find?: string;
                /** @description How many people a page has; all, if it is left out. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_grant_alias: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Granted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    access_revoke_alias: {
        parameters: {
            query?: {
                /** @description `dm`, `admin` or `group:ID`; unset means all. */
                scope?: string;
            };
            header?: never;
            path: {
                /** @description A person, for example `telegram:4711` */
                principal: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Revoked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    ask_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                limit?: number;
                /** @description The session in which they are asked. A token with the scope `chat` must name one of its own. */
                session?: string;
                /** @description Unset means `open`. */
                state?: "open" | "answered" | "expired" | "cancelled" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Asks"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    ask_answer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a question, for example `a3` */
                ask: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GivenAnswer"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ask"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    audit_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                /** @description Only entries with this text. */
                find?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLog"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_list_alias: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                /** @description Unset means `all`. */
                state?: "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out" | "lost" | "open" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tasks"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_submit_alias: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTask"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedTask"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_get_alias: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_cancel_alias: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_retry_alias: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    send_broadcast: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BroadcastRequest"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedBroadcast"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    budget_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                limit?: number;
                /** @description Unset means `agent`. */
                scope?: "person" | "chat" | "agent";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budgets"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    budget_set: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BudgetRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    group_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                from?: string;
            };
            header?: never;
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Groups"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["Unavailable"];
        };
    };
    group_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
                /** @description The platform's id of a group */
                group: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["Unavailable"];
        };
    };
    channel_start: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSwitched"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    channel_stop: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelSwitched"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    charts_charts: {
        parameters: {
            query?: {
                /** @description How far back charts go. */
                range?: "hour" | "day";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Charts"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    chat_chat: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChatRequest"];
            };
        };
        responses: {
            /** @description The answer, or with `stream` its events as they come */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnsweredMessage"];
                    "text/event-stream": string;
                };
            };
            /** @description The message is stored (`wait` is false) */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedMessage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["Unavailable"];
        };
    };
    config_show: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownConfig"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    config_reload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReloadRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReloadReport"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                state?: "active" | "paused" | "disabled" | "done";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Jobs"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_create: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobDraft"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedJob"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobChange"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_pause: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_resume: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_run: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunStarted"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_runs: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The name of a job */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Runs"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    job_one_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a job */
                job: string;
                /** @description The id of a run, for example `r5` */
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    dead_letter_list: {
        parameters: {
            query?: {
                /** @description The id of the last row of the page before. */
                before?: string;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetters"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    dead_letter_discard_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DroppedDeadLetters"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    dead_letter_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The number of a dead letter */
                letter: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterContent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    dead_letter_discard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The number of a dead letter */
                letter: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DroppedDeadLetters"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    event_events: {
        parameters: {
            query?: {
                /** @description The number after which to begin, as `Last-Event-ID`, which browsers send by themselves. */
                after?: number;
                /** @description The key of a session, whose frames are sent. Without it, what the gateway does is sent. */
                session?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events as they come */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    file_limits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadLimits"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    file_upload: {
        parameters: {
            query?: {
                /** @description How a chat shows the file: as its name and its first bytes say, or as something that a person has said. */
                kind?: "file" | "voice";
                /** @description The file's name. */
                name?: string;
            };
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description The file, in any media type except that of a form */
        requestBody: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["NoSpace"];
        };
    };
    file_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of an upload, as the response to it says */
                upload: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    file_remove: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of an upload, as the response to it says */
                upload: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedUpload"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    schema_frames: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    gateway_restart: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Said"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    gateway_stop: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Said"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    login_who: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    login_log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedIn"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    login_log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoggedOut"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    search_messages: {
        parameters: {
            query: {
                /** @description `next` of the page before. */
                before?: string;
                limit?: number;
                /** @description The words, without regard to ASCII case. */
                search: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundMessages"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    message_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a message, for example `m7` */
                message: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    schema_openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    outbox_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                limit?: number;
                state?: "queued" | "streaming" | "sending" | "sent" | "unknown" | "dead" | "dropped";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Parts"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    outbox_discard: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of an outgoing message, for example `o9` */
                part: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartState"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    outbox_retry: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of an outgoing message, for example `o9` */
                part: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PartState"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    pairing_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PairingRequests"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    pairing_approve_request: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The number of a pairing request */
                request: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovedPairing"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    pairing_deny_request: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The number of a pairing request */
                request: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeniedPairing"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    pairing_approve: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The code of a pairing request: eight letters and digits */
                code: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PairingAccount"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovedPairing"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    pairing_deny: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The code of a pairing request: eight letters and digits */
                code: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PairingAccount"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeniedPairing"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    send_send: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendRequest"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queued"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_erase: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErasedSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_change: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionChangeRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    file_of_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
                /** @description A file as the timeline names it, for example `m7.0` or `o9` */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_messages: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                /** @description The number of a conversation; unset means all. */
                epoch?: number;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Messages"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_reset: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResetSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_stop: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoppedSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    timeline_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The key of a session, for example `agent:main:web:dm:main`. A `%` in it is escaped once more by the URL */
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Timeline"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    session_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                agent?: string;
                /** @description Only those in which something waits or runs. */
                busy?: boolean;
                channel?: string;
                /** @description Only sessions with this text in their key or title. */
                find?: string;
                limit?: number;
                /** @description Whether to say how the current conversation of each began. */
                openings?: boolean;
                /** @description By their keys, or the one with the latest message first. */
                order?: "key" | "recent";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sessions"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    status_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_list: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                limit?: number;
                /** @description Unset means `all`. */
                state?: "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out" | "lost" | "open" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tasks"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_submit: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTask"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubmittedTask"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskDetails"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_cancel: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    task_retry: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a background task, for example `b4` */
                task: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NoFields"];
            };
        };
        responses: {
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    login_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TicketRequest"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    token_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    token_make: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description Done */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenSecret"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    token_revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a token */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    token_rotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a token */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRotation"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenSecret"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    console_index: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    console_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A file of the page or of the console */
                asset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                    "text/javascript": string;
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    status_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    hook_receive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of an endpoint in `[hooks]` of the configuration */
                hook: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventReply"];
                };
            };
            /** @description Done */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcceptedEvent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            422: components["responses"]["Unreadable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    mcp_respond: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/event-stream": string;
                };
            };
            /** @description A notification, which gets no answer */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description An error of JSON-RPC, or one of the gateway */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            /** @description The header `Accept` names neither `application/json` nor `text/event-stream` */
            406: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    status_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    page_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A file of the page or of the console */
                asset: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/css": string;
                    "text/javascript": string;
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    status_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            500: components["responses"]["Internal"];
            /** @description An account is not connected */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    completion_complete: {
        parameters: {
            query?: never;
            header?: {
                /** @description Names the request: a repetition with the same key gets the same answer and is not carried out again */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompletionRequest"];
            };
        };
        responses: {
            /** @description A chat completion, or with `stream` its chunks as they come */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatCompletion"];
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["Unavailable"];
        };
    };
    completion_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    completion_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of an agent */
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Model"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    webhook_receive_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
                /** @description The name of an account of the channel */
                account: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    webhook_receive_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel, for example `telegram`, or one account of it, `telegram@work` */
                channel: string;
                /** @description The name of an account of the channel */
                account: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    handshake_upgrade: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection is a WebSocket from now on */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            421: components["responses"]["Misdirected"];
            426: components["responses"]["UpgradeRequired"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
