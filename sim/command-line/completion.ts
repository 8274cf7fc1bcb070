/** `onesim completion`: what a shell has to know to complete commands, subcommands, flags, and names: of faults that are armed, of sandboxes. */
import type { Commands } from './command.ts';

export async function completionScript(commands: Commands): Promise<string> {
  const cases = await Promise.all(
    Object.entries(commands).flatMap(([name, { words }]) =>
      words === undefined ? [] : [words().then((all) => `    ${name}) words="${[...all, '--help'].join(' ')}" ;;`)],
    ),
  );
  return `# For bash: eval "$(onesim completion)". For zsh: autoload -U bashcompinit && bashcompinit first.
_onesim() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${Object.keys(commands).join(' ')} --help --version"
  elif [ "$COMP_CWORD" -gt 2 ] && case "$command \${COMP_WORDS[2]}" in "fault rm" | "sandbox close") ;; *) false ;; esac; then
    words="$(onesim "$command" list 2> /dev/null | sed -n 's/^\\([^ ]*\\)  .*/\\1/p')"
  else case "$command" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _onesim onesim`;
}
