# Speaks JSON-RPC 2.0 on stdin and stdout, in the way of the agents that are editors' helpers. The text of a prompt says
# what it does. Its arguments are `--session KEY`, if it was started for a session.
say() { printf '%s\n' "$1"; }
result() { say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$1}"; }
update() { say "{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"update\":$1}}"; }
chunk() { update "{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"$1\"}}"; }
finish() { result "{\"stopReason\":\"${1:-end_turn}\"}"; }
field() { rest=${line#*\"$1\":}; rest=${rest#\"}; rest=${rest%%,\"*}; rest=${rest%%\"*}; }

prompt() {
    prompts=$((prompts + 1))
    case $line in
    *'"text":"who"'*)
        chunk "$$ $prompts ${2:-nobody}"
        finish ;;
    *'"text":"talk"'*)
        update '{"sessionUpdate":"plan","entries":[]}'
        chunk 'one '
        say '{"jsonrpc":"2.0","method":"vendor/status","params":{"busy":true}}'
        say '{"jsonrpc":"2.0","id":"q1","method":"vendor/question","params":{}}'
        read -r reply
        say '{"jsonrpc":"2.0","id":4711,"result":"to a request that nobody made"}'
        printf '%s\n' "$reply" > reply
        chunk 'two'
        finish ;;
    *'"text":"refuse"'*)
        say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32603,\"message\":\"no model\"}}" ;;
    *'"text":"crash"'*)
        chunk 'up'
        echo 'Traceback: a long story' >&2
        echo 'ValueError: out of luck' >&2
        exit 3 ;;
    *'"text":"garbage"'*)
        chunk 'up'
        echo 'Segmentation fault, probably'
        exec sleep 1000 ;;
    *'"text":"flood"'*)
        chunk 'before '
        printf '{"jsonrpc":"2.0","method":"session/update","params":{"update":"'
        head -c 104857600 /dev/zero | tr '\0' x
        say '"}}'
        chunk 'after'
        finish ;;
    *'"text":"cut"'*)
        # The characters ä, the euro sign and a wave, each byte in a write of its own.
        printf '{"jsonrpc":"2.0","method":"session/update","params":{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"'
        for byte in 303 244 342 202 254 360 237 221 213; do
            printf "\\$byte"
            sleep 0.02
        done
        say '"}}}}'
        finish ;;
    *'"text":"wait"'*)
        chunk 'up'
        read -r cancel
        printf '%s\n' "$cancel" > cancel
        chunk 'more'
        finish cancelled ;;
    *'"text":"hang"'*)
        trap 'echo term > term' TERM
        chunk 'up'
        cat > unread
        echo eof > eof
        while :; do sleep 0.01; done ;;
    esac
}

echo $$ >> pids
while IFS= read -r line; do
    field id; id=$rest
    field method; method=$rest
    case $method in
    initialize) result '{"protocolVersion":1}' ;;
    session/new)
        chunk 'a replay that is no answer'
        result '{"sessionId":"s1"}' ;;
    session/load)
        chunk 'a replay that is no answer'
        case $line in
        *'"sessionId":"s1"'*) echo loaded >> loads; result '{}' ;;
        *) say "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32002,\"message\":\"no such session\"}}" ;;
        esac ;;
    session/prompt) prompt "$@" ;;
    esac
done
echo eof > eof
trap 'echo term > term' TERM
