using System.CommandLine;
using Distill.Cli.Parsing;
using Distill.Cli.Watching;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Training;

namespace Distill.Cli.Commands;

/// <summary><c>distill preflight</c>: whether the student would learn from its teacher's opinion of its own completions.</summary>
internal sealed class PreflightCommand : DistillCommand
{
    private const string NameSuffix = "-preflight";
    private const int LongestName = 64;
    private readonly RunArguments arguments;
    private readonly Option<string> log = LogOption.Create();

    public PreflightCommand()
        : base("preflight", "Says whether on-policy distillation is expected to help: does what the recipe has before it, then lets "
            + "student and teacher answer the same validation problems. A recipe without rl.teacher_weight is asked as if it had it, "
            + "in place of rewards, in a run of its own (the recipe's name with -preflight).")
    {
        arguments = new(this, choosesStages: false);
        Options.Add(log);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill preflight recipes/quickstart.yaml",
        "distill preflight recipes/quickstart.yaml --set teacher.model=models/other --set rl.preflight_problems=256",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        MachineDiagnosis.RequireTorch();
        var options = arguments.OptionsOf(parsed);
        var recipe = arguments.RecipeOf(parsed, context);
        string[] missing = [.. Missing(recipe)];
        if (missing.Length > 0)
        {
            recipe = arguments.RecipeOf(parsed, context, changes: missing);
            options = options with { Name = options.Name ?? NameOf(recipe) };
        }

        options = options with { Until = OnPolicyPreflightStage.StageName };
        int code = RunExecution.Execute(recipe, options, context, parsed.GetValue(log));
        var report = OnPolicyPreflightStage.ReadReport(Path.Combine(options.RunsFolder, options.Name ?? recipe.Name));
        if (context.IsJson) context.Results.Json(new { @event = "preflight", report });
        else context.Results.Line($"preflight  {report.Describe()}");
        return code;
    }

    // What must be said for the recipe to have the stage.
    private static IEnumerable<string> Missing(DistillationRecipe recipe)
    {
        if (recipe.Rl.TeacherWeight is null)
        {
            yield return "rl.teacher_weight=1";
            foreach (string key in ReinforcementSection.KeysOfRewards) yield return $"rl.{key}=null"; // refused beside it
        }

        if (recipe.Rl.Steps == 0) yield return "rl.steps=1";
        if (recipe.Rl.Preflight == OnPolicyPreflightMode.Off) yield return "rl.preflight=warn";
    }

    private static string NameOf(Recipe recipe) =>
        recipe.Name[..Math.Min(recipe.Name.Length, LongestName - NameSuffix.Length)] + NameSuffix;
}
