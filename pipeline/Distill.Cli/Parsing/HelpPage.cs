using System.CommandLine;
using System.Text;

namespace Distill.Cli.Parsing;

/// <summary>A word of the help and what it means.</summary>
/// <param name="Name">As it is typed, with what follows it.</param>
internal sealed record HelpEntry(string Name, string Description);

/// <summary>The help of a command: what it does, how it is called, what each word means, and lines to copy.</summary>
/// <param name="Notes">What holds for all commands; empty but for the program itself.</param>
internal sealed record HelpPage(
    string Command, string Description, string Usage, IReadOnlyList<HelpEntry> Commands, IReadOnlyList<HelpEntry> Arguments,
    IReadOnlyList<HelpEntry> Options, IReadOnlyList<string> Examples, IReadOnlyList<string> Notes)
{
    private const int Column = 26, Width = 110;

    private static readonly string[] ForAll =
    [
        "Exit codes: 0 done, 1 fault, 2 usage or invalid recipe, 3 a gate failed (parity, preflight, licences), 130 interrupted.",
        "Results go to standard output, progress and errors to standard error. 'distill COMMAND --help' tells more.",
    ];

    public static HelpPage Of(Command root, Command command)
    {
        var general = command == root ? [] : root.Options.Where(option => option.Recursive);
        return new HelpPage(
            PathOf(command), command.Description ?? "", UsageOf(command),
            [.. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => new HelpEntry(Signature(sub), sub.Description ?? ""))],
            [.. command.Arguments.Select(argument => new HelpEntry(argument.Name, argument.Description ?? ""))],
            [.. command.Options.Concat(general).Select(option => new HelpEntry(NameOf(option), option.Description ?? ""))],
            command is DistillCommand own ? own.Examples
                : [.. command.Subcommands.OfType<DistillCommand>().SelectMany(sub => sub.Examples.Take(1)).Take(4)],
            command == root ? ForAll : []);
    }

    /// <summary><c>distill runs show</c>.</summary>
    public static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : command.Name;

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendJoin('\n', Wrap(Description, Width)).Append("\n\nUsage: ").Append(Usage).Append('\n');
        Section(text, "Commands", Commands);
        Section(text, "Arguments", Arguments);
        Section(text, "Options", Options);
        if (Examples.Count > 0) text.Append("\nExamples:\n").AppendJoin('\n', Examples.Select(example => "  " + example)).Append('\n');
        if (Notes.Count > 0) text.Append('\n').AppendJoin('\n', Notes);
        return text.ToString().TrimEnd();
    }

    private static string UsageOf(Command command)
    {
        if (command.Subcommands.Count > 0) return PathOf(command) + " COMMAND";
        var words = command.Arguments.Select(NameOf)
            .Concat(command.Options.Where(option => option.Required).Select(NameOf));
        return string.Join(' ', words.Prepend(PathOf(command))) + " [options]";
    }

    private static string Signature(Command command) => string.Join(' ', command.Arguments.Select(NameOf).Prepend(command.Name));

    private static string NameOf(Argument argument) =>
        argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name;

    private static string NameOf(Option option) => option.HelpName is { } value ? $"{option.Name} {value}" : option.Name;

    private static void Section(StringBuilder text, string title, IReadOnlyList<HelpEntry> entries)
    {
        if (entries.Count > 0) text.Append('\n').Append(title).Append(":\n");
        foreach (var (name, description) in entries)
        {
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
