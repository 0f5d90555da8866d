using System.CommandLine;
using System.Text;
using System.Text.Json;
using Distill.Cli.Output;
using Distill.Data.Problems;
using Distill.Verification;

namespace Distill.Cli.Commands.Handovers;

/// <summary><c>distill grade</c>: answers in, verdicts out, line by line, for programs that train or measure elsewhere.</summary>
internal sealed class GradeCommand : DistillCommand
{
    private const int LongestLine = 4 << 20;

    private readonly Argument<string> problems = new("PROBLEMS") { Description = "File of problems (JSON lines), as runs keep them." };

    public GradeCommand()
        : base("grade", "Judges answers to problems: reads JSON lines with problem_id and answer (null: none was given) from standard "
            + "input and writes one with the verdict for each, at once, until the input ends.") => Arguments.Add(problems);

    public override IReadOnlyList<string> Examples =>
    [
        "echo '{\"problem_id\": \"arithmetic/1/test/3/000000\", \"answer\": \"7\"}' | distill grade problems.jsonl",
        "distill grade runs/quickstart/1-problems/test/problems.jsonl < answers.jsonl",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string file = parsed.GetRequiredValue(problems);
        if (!File.Exists(file)) throw new UsageException($"There is no file '{file}'.", "Give a file of problems.");
        var known = ProblemFile.Read(file).ToDictionary(problem => problem.Id, StringComparer.Ordinal);
        for (int number = 1; context.NextLine() is { } line; number++)
        {
            if (line.Length > LongestLine) throw new InvalidDataException($"Line {number} has more than {LongestLine:N0} characters.");
            if (string.IsNullOrWhiteSpace(line)) continue;
            var (id, answer) = Read(line, number);
            var problem = known.GetValueOrDefault(id)
                ?? throw new InvalidDataException($"Line {number}: '{file}' has no problem {TerminalText.OneLine(id)}.");
            var verdict = ProblemVerifiers.Standard.Of(problem).Verify(answer, problem);
            // For programs whatever is asked for: a line in, a line out.
            context.Streams.Out.WriteLine(Line(id, verdict));
            context.Streams.Out.Flush();
        }

        return ExitCode.Done;
    }

    private static (string Id, string? Answer) Read(string line, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 4 });
            var row = new ProblemRow(document.RootElement);
            return (row.Text("problem_id"), row.OptionalText("answer"));
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            throw new InvalidDataException(
                $"Line {number} is no answer: {fault.Message} Write {{\"problem_id\": \"...\", \"answer\": \"...\"}}.", fault);
        }
    }

    private static string Line(string id, Verdict verdict)
    {
        using var stream = new MemoryStream();
        using (var row = new Utf8JsonWriter(stream))
        {
            row.WriteStartObject();
            row.WriteString("problem_id", id);
            row.WriteString("verdict", VerdictName.Of(verdict));
            row.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
