/** `onesim completion`: what a shell has to know to complete commands, subcommands, flags, and the ids of faults that are armed. */
import { flagNames } from '../config.ts';
import { CONTROL_FLAGS, SUBCOMMANDS } from './control-commands.ts';

/** @param commands names of all commands */
export function completionScript(commands: readonly string[]): string {
  const cases = Object.entries(SUBCOMMANDS).map(
    ([name, subcommands]) => `    ${name}) words="${[...subcommands, ...CONTROL_FLAGS].join(' ')}" ;;`,
  );
  return `# For bash: eval "$(onesim completion)". For zsh: autoload -U bashcompinit && bashcompinit first.
_onesim() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.join(' ')} --help --version"
  elif [ "$command \${COMP_WORDS[2]}" = "fault rm" ] && [ "$COMP_CWORD" -gt 2 ]; then
    words="$(onesim fault list 2> /dev/null | cut -d ' ' -f 1)"
  else case "$command" in
    serve) words="${flagNames().join(' ')}" ;;
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _onesim onesim`;
}
