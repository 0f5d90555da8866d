using System.CommandLine;
using System.Text;

namespace Distill.Cli.Parsing;

/// <summary>The help of a command: what it does, how it is called, what each word means, and lines to copy.</summary>
internal static class HelpText
{
    private const int Column = 26, Width = 110;

    private const string ExitCodes = """
        Exit codes: 0 done, 1 fault, 2 usage or invalid recipe, 3 a gate failed (parity), 130 interrupted.
        Results go to standard output, progress and errors to standard error. 'distill COMMAND --help' tells more.
        """;

    public static string Of(Command root, Command command)
    {
        var text = new StringBuilder();
        text.AppendJoin('\n', Wrap(command.Description ?? "", Width)).Append("\n\nUsage: ").Append(Usage(command)).Append('\n');
        Section(text, "Commands", command.Subcommands.Select(sub => (Signature(sub), sub.Description ?? "")));
        Section(text, "Arguments", command.Arguments.Select(argument => (argument.Name, argument.Description ?? "")));
        var general = command == root ? [] : root.Options.Where(option => option.Recursive);
        Section(text, "Options", command.Options.Concat(general).Select(option => (NameOf(option), option.Description ?? "")));
        var examples = command is DistillCommand own ? own.Examples
            : [.. command.Subcommands.OfType<DistillCommand>().SelectMany(sub => sub.Examples.Take(1)).Take(4)];
        if (examples.Count > 0) text.Append("\nExamples:\n").AppendJoin('\n', examples.Select(example => "  " + example)).Append('\n');
        if (command == root) text.Append('\n').Append(ExitCodes);
        return text.ToString().TrimEnd();
    }

    /// <summary><c>distill runs show</c>.</summary>
    public static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : command.Name;

    private static string Usage(Command command)
    {
        if (command.Subcommands.Count > 0) return PathOf(command) + " COMMAND";
        var words = command.Arguments.Select(NameOf)
            .Concat(command.Options.Where(option => option.Required).Select(NameOf));
        return string.Join(' ', words.Prepend(PathOf(command))) + " [options]";
    }

    private static string Signature(Command command) =>
        string.Join(' ', command.Arguments.Select(NameOf).Prepend(command.Name));

    private static string NameOf(Argument argument) =>
        argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name;

    private static string NameOf(Option option) => option.HelpName is { } value ? $"{option.Name} {value}" : option.Name;

    private static void Section(StringBuilder text, string title, IEnumerable<(string Name, string Description)> lines)
    {
        bool any = false;
        foreach (var (name, description) in lines)
        {
            if (!any) text.Append('\n').Append(title).Append(":\n");
            any = true;
            text.Append("  ").Append(name.PadRight(Column - 2));
            if (name.Length > Column - 4) text.Append('\n').Append(' ', Column);
            text.AppendJoin("\n" + new string(' ', Column), Wrap(description, Width - Column)).Append('\n');
        }
    }

    private static IEnumerable<string> Wrap(string description, int width)
    {
        var line = new StringBuilder();
        foreach (string word in description.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}
