using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Pretraining;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Training;

namespace Distill.Cli.Commands;

/// <summary><c>distill pretrain</c>: a small model from nothing.</summary>
internal sealed class PretrainCommand : DistillCommand
{
    private const string StageName = "pretrain";
    private readonly Argument<string> recipe = RunArguments.RecipeArgument();
    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public PretrainCommand()
        : base("pretrain", "Trains a small model from nothing: tokenizer, decoder, model folder (a recipe of kind: pretrain). "
            + "An interrupted one continues exactly.")
    {
        Arguments.Add(recipe);
        Options.Add(set);
        Options.Add(runs);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill pretrain recipes/tiny-base.yaml",
        "distill pretrain recipes/tiny-base.yaml --set training.steps=100 --set output=/tmp/tiny",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        var plan = RunArguments.Load<PretrainRecipe>(parsed.GetRequiredValue(recipe), parsed.GetValue(set));
        string work = Path.GetFullPath(Path.Combine(parsed.GetRequiredValue(runs), plan.Name));
        RequireOwn(work);
        OutputPlace.RequireFolder("--runs", work);
        OutputPlace.RequireFolder("output", plan.Output);
        MachineDiagnosis.RequireTorch();
        context.Continuation = context.CommandLine;
        var machines = context.IsJson ? new JsonRunObserver(context.Results, context.Clock) : null;
        IRunObserver observer = machines is null ? new ConsoleRunObserver(context.Progress) : machines;
        long start = context.Clock.GetTimestamp();
        var watch = new Watch(observer);
        observer.RunStarted(plan.Name, work);
        observer.StageStarted(StageName, $"{plan.Training.Steps:N0} steps");
        new PretrainingJob(plan, work, context.Clock).Run(watch.AfterStep, context.Cancellation, observer.Warning);
        var elapsed = context.Clock.GetElapsedTime(start);
        observer.StageFinished(StageName, elapsed, $"{plan.Training.Steps:N0} steps, loss {watch.Loss:F4}");
        machines?.Finish(new
        {
            @event = "run_finished", plan.Name, folder = work, modelFolder = plan.Output, watch.Loss,
            seconds = Math.Round(elapsed.TotalSeconds, 3),
        });
        context.Results.Line($"model    {plan.Output}");
        context.Results.Line($"time     {Readable.Duration(elapsed)}");
        return ExitCode.Done;
    }

    // The job empties a work folder of another recipe; it must never be the folder of something else.
    private static void RequireOwn(string work)
    {
        if (!Directory.Exists(work) || !Directory.EnumerateFileSystemEntries(work).Any()) return;
        string resolved = Path.Combine(work, "recipe.yaml");
        if (!File.Exists(resolved) || !File.ReadLines(resolved).Take(10).Contains("kind: pretrain"))
            throw new UsageException(
                $"'{work}' holds something else than a pretraining.",
                "Give another place with --runs DIR, or another name with --set name=NAME.");
    }

    /// <summary>Steps → observer: progress always, the figures now and then.</summary>
    private sealed class Watch(IRunObserver observer)
    {
        private const int MetricEvery = 20;
        private double smoothed, tokens, seconds;

        /// <summary>Of the last step.</summary>
        public double Loss { get; private set; }

        public void AfterStep(StepReport step)
        {
            bool first = smoothed == 0; // it also warms up: its time says nothing
            smoothed += (first ? 1 : 0.05) * (step.Loss - smoothed);
            if (!first) (tokens, seconds) = (tokens + step.Tokens, seconds + step.Seconds);
            Loss = step.Loss;
            observer.Progress(StageName,
                new StageProgress(step.Step, step.Steps, "steps", $"loss {smoothed:F3}", seconds > 0 ? tokens / seconds : 0, "tokens/s"));
            if (step.Step % MetricEvery != 0 && step.Step != step.Steps) return;
            observer.Metric(StageName, step.Step, new Dictionary<string, double>
            {
                ["loss"] = step.Loss,
                ["gradient_norm"] = step.GradientNorm,
                ["learning_rate"] = step.LearningRate,
                ["entropy"] = step.Entropy,
            });
        }
    }
}
