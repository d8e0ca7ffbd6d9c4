# bash completion for tarn: nouns, verbs, options, and the names of the pipes of a running node.
# Use it at once:  source <(tarn completion bash)
# Works with and without the bash-completion package.

# The pipes of the domain that the words so far name. Quiet, and starts no node.
_tarn_pipe_names() {
  local -a domain=()
  local i
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    case ${COMP_WORDS[i]} in
      --application | --user | --owner) domain+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
    esac
  done
  "${COMP_WORDS[0]}" "${domain[@]}" pipe ls --json 2>/dev/null |
    sed -n 's/^ *"name": "\(.*\)",$/\1/p'
}

# The supervised clients of the same domain.
_tarn_client_names() {
  local -a domain=()
  local i
  for ((i = 1; i < COMP_CWORD - 1; i++)); do
    case ${COMP_WORDS[i]} in
      --application | --user) domain+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
    esac
  done
  "${COMP_WORDS[0]}" "${domain[@]}" client ls --json 2>/dev/null |
    sed -n 's/^ *"name": "\(.*\)",$/\1/p'
}

# Offers each line of standard input that begins with the current word, quoted where needed.
_tarn_offer_lines() {
  local line
  while IFS= read -r line; do
    [[ $line == "$1"* ]] && COMPREPLY+=("$(printf '%q' "$line")")
  done
}

# Offers names of files whole, whatever is in them; the shell quotes them.
_tarn_offer_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# Sets `noun`, `verb` and `arguments` (their number) from the words before the current one.
_tarn_read_words() {
  local i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --application | --user | --owner | --access | --pipe | --memory | --sessions | --connections | \
        --pipes | --descriptors | --requests | --color | --capacity | --delivery | --timeout | --block | --count | \
        --interval | -i | -m | --message | --rounds | --messages | --only | --restart | --limit | \
        --patience | --backoff | --stop-timeout | -n | --lines | --format | --from | --to)
        ((i++))
        ;;
      -*) ;;
      *)
        if [[ -z $noun ]]; then
          noun=$word
        elif [[ -z $verb && ($noun == pipe || $noun == value || $noun == session || $noun == client || $noun == access || $noun == completion) ]]; then
          verb=$word
        else
          ((arguments++))
        fi
        ;;
    esac
  done
}

_tarn_verbs_of() {
  case $1 in
    '') echo 'up down status doctor check pipe value session run client access top bench version completion' ;;
    pipe) echo 'ls info push pop create close rm' ;;
    value) echo 'convert show check' ;;
    session) echo 'ls' ;;
    client) echo 'ls stop restart logs rm' ;;
    access) echo 'allow deny forget reset quota' ;;
    completion) echo 'bash' ;;
  esac
}

_tarn_options_of() {
  echo '--help --json --application --user --owner --color'
  case $1 in
    '') echo '--version' ;;
    up) echo '--access' ;;
    down) echo '--force --timeout' ;;
    check) echo '--repair --patience' ;;
    'access allow') echo '--pipe' ;;
    'access deny' | 'access forget') echo '--pipe --disconnect' ;;
    'access reset') echo '--disconnect' ;;
    'access quota')
      echo '--forget --memory --sessions --connections --pipes --descriptors --requests'
      ;;
    top) echo '--once --batch --interval' ;;
    bench) echo '--rounds --messages --quick --only --list --compare --goals' ;;
    'pipe push')
      echo '--block --whole --message --capacity --delivery --timeout --close --progress --format --arrays --no-tags --last-of-duplicates'
      ;;
    'pipe pop')
      echo '--count --all --follow --timeout --line --raw --block --create --capacity --delivery --format --lossless'
      ;;
    'value convert')
      echo '--from --to --lossless --pretty --arrays --no-tags --last-of-duplicates --progress'
      ;;
    'value show') echo '--from --lossless --arrays --no-tags --last-of-duplicates' ;;
    'value check') echo '--from --no-tags --last-of-duplicates' ;;
    run) echo '--restart --limit --backoff --stop-timeout --replace --wait' ;;
    'client logs') echo '--lines --follow --time' ;;
    'client rm') echo '--force' ;;
    'pipe create') echo '--capacity --delivery' ;;
  esac
}

_tarn() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local noun='' verb='' arguments=0
  COMPREPLY=()
  case $previous in
    --only)
      COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" bench --list 2>/dev/null | cut -f1)" -- "$current"))
      return
      ;;
    --color)
      COMPREPLY=($(compgen -W 'auto always never' -- "$current"))
      return
      ;;
    --delivery)
      COMPREPLY=($(compgen -W 'at_most_once at_least_once' -- "$current"))
      return
      ;;
    --format)
      COMPREPLY=($(compgen -W 'json msgpack cbor raw' -- "$current"))
      return
      ;;
    --from | --to)
      COMPREPLY=($(compgen -W 'tarn json msgpack cbor' -- "$current"))
      return
      ;;
    --restart)
      COMPREPLY=($(compgen -W 'on-failure always never' -- "$current"))
      return
      ;;
    --pipe)
      _tarn_offer_lines "$current" < <(_tarn_pipe_names)
      return
      ;;
    --owner)
      COMPREPLY=($(compgen -u -- "$current"))
      return
      ;;
    --application | --user | --access | --memory | --sessions | --connections | --pipes | \
      --descriptors | --requests | --capacity | --timeout | --block | --count | --interval | -i | -m | \
      --message | --rounds | --messages | --limit | --patience | --backoff | --stop-timeout | -n | --lines)
      return
      ;;
  esac
  _tarn_read_words
  if [[ $current == -* ]]; then
    local command=$noun${verb:+ $verb}
    COMPREPLY=($(compgen -W "$(_tarn_options_of "$command")" -- "$current"))
  elif [[ -z $verb && -n $(_tarn_verbs_of "$noun") ]]; then
    COMPREPLY=($(compgen -W "$(_tarn_verbs_of "$noun")" -- "$current"))
  elif [[ $noun == access && $verb == allow && $arguments == 1 ]]; then
    COMPREPLY=($(compgen -W 'read read-write' -- "$current"))
  elif [[ $noun == access && $verb != reset && $arguments == 0 ]]; then
    COMPREPLY=($(compgen -u -W 'world each' -- "$current"))
  elif [[ $noun == pipe && $verb != ls && $verb != create && $arguments == 0 ]]; then
    _tarn_offer_lines "$current" < <(_tarn_pipe_names)
  elif [[ $noun == value ]]; then
    _tarn_offer_files "$current"
  elif [[ $noun == client && $verb != ls && $arguments == 0 ]]; then
    _tarn_offer_lines "$current" < <(_tarn_client_names)
  elif [[ $noun == run && $arguments -gt 0 ]]; then
    _tarn_offer_files "$current"
    COMPREPLY+=($(compgen -c -- "$current"))
  fi
}

complete -F _tarn tarn
