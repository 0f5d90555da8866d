using System.CommandLine;
using System.CommandLine.Parsing;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Parsing;

/// <summary>What cannot be meant, in our words: the unknown command or option first, since other errors mostly follow from it.</summary>
internal static class UsageErrors
{
    /// <exception cref="UsageException">The command line has an error.</exception>
    public static void ThrowIfAny(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (UnknownOption(parsed) is { } option)
            throw new UsageException(
                $"There is no option '{option}' for '{HelpPage.PathOf(command)}'{Near(option, Options(parsed))}", HelpFor(command));
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var commands = command.Subcommands.Select(sub => sub.Name).ToList();
            throw commands.Count > 0
                ? new UsageException($"There is no command '{HelpPage.PathOf(command)} {word}'{Near(word, commands)}", HelpFor(command))
                : new UsageException($"'{word}' is one argument too many for '{HelpPage.PathOf(command)}'.", HelpFor(command));
        }

        // What is missing comes in the order in which it is typed: arguments, then options.
        if (parsed.Errors.OrderBy(error => error.SymbolResult is OptionResult).FirstOrDefault() is { } first)
            throw new UsageException(Describe(first), HelpFor(command));
    }

    // The parser takes an unknown option for an argument as long as the command still wants one.
    private static string? UnknownOption(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens.Select(token => token.Value))
            .Concat(parsed.UnmatchedTokens)
            .FirstOrDefault(word => word.Length > 1 && word[0] == '-');

    private static string Describe(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Argument: var argument, Tokens.Count: 0, Parent: CommandResult } =>
            $"{argument.Name} is missing: {argument.Description}",
        OptionResult { Option: var option, IdentifierToken: null } => $"{option.Name} is missing: {option.Description}",
        OptionResult { Option: var option, Tokens.Count: 0 } => $"{option.Name} needs a value: {option.Description}",
        _ => error.Message,
    };

    private static IEnumerable<Option> Options(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive));

    private static string Near(string word, IEnumerable<Option> options)
    {
        string name = word.Split('=', ':')[0].TrimStart('-');
        return Suggestion.Nearest(name, options.Select(option => option.Name.TrimStart('-'))) is { } near ? $"; did you mean '--{near}'?"
            : ".";
    }

    private static string Near(string word, IReadOnlyCollection<string> commands) => $"; {Suggestion.Remedy(word, commands)}";

    private static string HelpFor(Command command) => $"'{HelpPage.PathOf(command)} --help' shows what there is.";
}
