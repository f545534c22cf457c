# SPDX-License-Identifier: MIT
#
# Completion of php-poolctl(1) and php-poold(8) for bash. It has no list of its own: verbs, what they take, and
# options are those of the program's --help, pools those of php-poolctl list.

# Takes --help of $1 apart into the caller's variables:
#   first    what the program itself takes: VERB or POOL
#   verbs    what each verb takes: [request]="POOL SCRIPT"
#   options  what each option takes, "" for nothing: [--output]=DIR [-o]=DIR
#   owners   the verbs that each option belongs to: " list status "; "" for all
_php_pool_help() {
    local line section='' left text owner word
    while IFS= read -r line; do
        case $line in
        "${1##*/} "*) read -r _ _ first _ <<<"$line" ;;
        Verbs: | Options:) section=$line ;;
        ' '*)
            line=${line#"${line%%[! ]*}"}
            left=${line%%  *}
            text=${line#"$left"}
            if [[ $section == Verbs: ]]; then
                word=${left%% *}
                left=${left#"$word"}
                verbs[$word]=${left# }
            elif [[ $left == -* ]]; then
                owner=${text%%:*}
                owner=" ${owner//,/} "
                for word in $owner; do
                    [[ ${verbs[$word]+known} ]] || owner=''
                done
                for word in ${left%%=*}; do
                    options[$word]=''
                    [[ $left != *=* ]] || options[$word]=${left#*=}
                    owners[$word]=$owner
                done
            fi
            ;;
        esac
    done < <("$1" --help 2>/dev/null)
}

# Offers what an argument may be, as --help names it: "[POOL|FILE]". Files are readline's affair, where nothing
# else fits.
_php_pool_offer() {
    local kind kinds=${1//[][]/} cur=$2 found
    for kind in ${kinds//|/ }; do
        found=()
        case $kind in
        VERB) mapfile -t found < <(compgen -W "${!verbs[*]}" -- "$cur") ;;
        POOL) mapfile -t found < <(compgen -W "$(php-poolctl list --names 2>/dev/null)" -- "$cur") ;;
        DIR) compopt -o dirnames ;;
        FILE | SCRIPT | PATH) compopt -o default ;;
        esac
        COMPREPLY+=("${found[@]}")
    done
}

_php_pool_offer_options() {
    local verb=$1 cur=$2 word found=()
    for word in "${!options[@]}"; do
        [[ ! $verb || ! ${owners[$word]} || ${owners[$word]} == *" $verb "* ]] || continue
        [[ $word != --* || ! ${options[$word]} ]] || word+='='
        found+=("$word")
    done
    mapfile -t COMPREPLY < <(compgen -W "${found[*]}" -- "$cur")
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

_php_pool() {
    local first='' verb='' value='' ended='' word i n=0 cur words=() takes=() rest=${COMP_LINE:0:COMP_POINT}
    local -A verbs=() options=() owners=()
    COMPREPLY=()
    _php_pool_help "$1"

    # readline makes three words of "--output=DIR": they are put together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $i -gt 0 && $rest != [[:space:]]* ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        rest=${rest#"$word"}
    done
    cur=${words[-1]}

    for word in "${words[@]:1:${#words[@]}-2}"; do
        if [[ $value ]]; then
            value=''
        elif [[ $word != -?* || $ended ]]; then
            if [[ $first == VERB && ! $verb ]]; then
                verb=$word
            else
                n=$((n + 1))
            fi
        elif [[ $word == -- ]]; then
            ended=yes
        elif [[ $word == --* ]]; then
            value=${options[$word]-}
        else # letters, the last of which may take what follows
            while [[ ! $value && $word == -?* ]]; do
                value=${options[${word:0:2}]-}
                word=-${word:2}
            done
            [[ $word == - ]] || value=''
        fi
    done

    if [[ $value ]]; then
        _php_pool_offer "$value" "$cur"
    elif [[ $cur == --*=* && ! $ended ]]; then
        _php_pool_offer "${options[${cur%%=*}]-}" "${cur#*=}"
    elif [[ $cur == -* && ! $ended ]]; then
        _php_pool_offer_options "$verb" "$cur"
    elif [[ $first == VERB && ! $verb ]]; then
        _php_pool_offer VERB "$cur"
    else
        read -ra takes <<<"$first"
        [[ ! $verb ]] || read -ra takes <<<"${verbs[$verb]-}"
        _php_pool_offer "${takes[n]-}" "$cur"
    fi
}

complete -F _php_pool php-poolctl php-poold
