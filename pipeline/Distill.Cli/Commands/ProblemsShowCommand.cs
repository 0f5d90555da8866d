using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Cli.Commands;

/// <summary><c>distill problems show</c>: some problems of a source, as a model will be asked them.</summary>
internal sealed class ProblemsShowCommand : DistillCommand
{
    private readonly Argument<string> source = new("SOURCE")
    {
        Description = "File or pattern, a data set's folder, hf://datasets/owner/name, a recipe, or families such as arithmetic:2,words:1.",
    };

    private readonly SourceArguments arguments;
    private readonly Option<int> count = CommandOptions.Number("--count", "Problems shown.", 1, 1_000_000, 3);
    private readonly Option<int> skip = CommandOptions.Number("--skip", "Problems passed over before the first.", 0, 10_000_000, 0);

    public ProblemsShowCommand()
        : base("show", "Shows problems of a source as a model is asked them, each with its answer, split and verifier.")
    {
        Arguments.Add(source);
        arguments = new SourceArguments(this);
        Options.Add(count);
        Options.Add(skip);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill problems show data/train.jsonl",
        "distill problems show 'data/*.csv' --question title --answer result --count 10",
        "distill problems show knights:3",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var shown = Problems(parsed.GetRequiredValue(source), parsed, context).Skip(parsed.GetValue(skip))
            .Take(parsed.GetValue(count)).ToList();
        if (context.IsJson) context.Results.Json(new { problems = shown.Select(Row) });
        else if (shown.Count == 0) context.Results.Line("There is no such problem.");
        foreach (var problem in shown) Show(problem, context.Results);
        return ExitCode.Done;
    }

    private IEnumerable<Problem> Problems(string word, ParseResult parsed, CommandContext context)
    {
        int wanted = parsed.GetValue(count) + parsed.GetValue(skip);
        if (ProblemSource.IsFamilies(word)) return ProblemSource.Load(word, wanted, 0);
        var problems = RecipeProblems.Of(arguments.SectionOf(word, parsed, context) with { OnBadRow = BadRows.Skip });
        SourceArguments.RequireFiles(problems);
        if (problems.Sources.All(entry => entry.Section.Family is not null))
            return problems.Take(Split.Train, wanted, context.Cancellation);
        // Read only as far as is shown: a file of a million rows is no reason to wait.
        return problems.Sources.Select(entry => entry.ToSource(null, questionsOnly: false)).Where(read => read is not null)
            .SelectMany(read => read!.Read()).Select(item => item.Problem).OfType<Problem>();
    }

    private static object Row(Problem problem) => new
    {
        problem.Id, problem.Source, problem.Domain, split = SplitRule.Word(problem.Split), problem.Level, problem.Verifier, problem.System,
        question = problem.Text, problem.Choices, answer = problem.ReferenceAnswer, solution = problem.ReferenceSolution,
    };

    private static void Show(Problem problem, ResultWriter results)
    {
        string domain = problem.Domain == problem.Source ? "" : $", {problem.Domain}";
        results.Line($"{problem.Id}  ({SplitRule.Word(problem.Split)}{domain}, level {problem.Level}, graded by {problem.Verifier})");
        if (problem.System is { } system) Part("system", system, results);
        Part("question", problem.Text, results);
        if (SolutionText.Of(problem) is { } solution) Part("solution", solution, results);
        Part("answer", problem.ReferenceAnswer, results);
        results.Line();
    }

    private static void Part(string name, string text, ResultWriter results)
    {
        results.Line($"  {name}");
        foreach (string line in WrappedText.Lines(text, 4)) results.Line(line);
    }
}
