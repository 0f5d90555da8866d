using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Generation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Student.Preference;
using Distill.Student.Training;
using Distill.Teacher;

namespace Distill.Pipeline.Stages;

/// <summary>
/// A student's own completions of training problems, sampled, kept as traces and paired right with wrong. Every part is committed as it is finished,
/// so a kill costs one part at most. Immutable.
/// </summary>
/// <param name="Problems">That were sampled.</param>
/// <param name="Paired">Of these, solved sometimes and sometimes not.</param>
/// <param name="Right">Share of right completions.</param>
internal sealed record PolicyPairs(IReadOnlyList<PreferencePair> Pairs, int Problems, int Paired, double Right)
{
    private const ulong SamplingDraw = 0x7072_6566; // other completions than any other stage draws with the run's seed

    /// <summary>Of the completions, the pairing aside: what decides them.</summary>
    public static PolicyPairs Sample(StageContext context, DistillationRecipe recipe, PreferenceSection section, StageInput student)
    {
        Problem[] problems = [.. ProblemFile.Read(context.Input(StageNames.Problems).PathOf(ProblemsStage.Train)).Take(section.Problems)];
        using var engine = Engine.OpenCheckpoint(Path.Combine(student.Folder, SupervisedStage.CheckpointFolder), recipe.Evaluation.Slots);
        Collect(context, problems, engine, new TraceCollectionOptions
        {
            Seed = (ulong)recipe.Seed ^ SamplingDraw,
            Teacher = StageNames.Sft,
            TeacherDigest = student.Digest,
            Samples = section.Samples,
            Sampling = new SamplingOptions { Temperature = section.Temperature },
            MaxNewTokens = section.MaxTokens,
            KeepTokens = true,
        });
        var traces = Directory.EnumerateFiles(Path.Combine(context.Folder, "data"), "*.parquet").Order(StringComparer.Ordinal).SelectMany(TraceFile.Read);
        var verifiers = ProblemFamilies.All.ToDictionary(family => family.Name, family => family.Verifier);
        var graded = TraceCuration.Run(traces, verifiers, new CurationOptions { Rules = ["verdict"] });
        var pairs = PreferencePairing.Of(graded.Traces, section.PairsPerProblem, (ulong)recipe.Seed);
        return new PolicyPairs(
            [.. pairs.Select(pair => new PreferencePair(Encode(engine, pair.Chosen), Encode(engine, pair.Rejected)))], problems.Length,
            pairs.Select(pair => pair.Chosen.Problem.Id).Distinct().Count(), (double)graded.Kept / graded.Traces.Count);
    }

    private static void Collect(StageContext context, Problem[] problems, Engine engine, TraceCollectionOptions options)
    {
        var files = new TraceFiles(context.Writer);
        new TraceCollection(engine.Generator, engine.Encoder, options, context.Clock).Run(
            problems, files.TryTake, files.Write,
            progress => context.Progress(new StageProgress(progress.Traces, progress.TotalTraces, "completions", "", progress.TokensPerSecond, "tokens/s")), context.Cancellation);
        files.WriteCard(options.Teacher, "student");
    }

    // The very tokens that were sampled: what the text would be encoded as again may differ.
    private static TrainingSequence Encode(Engine engine, Trace trace)
    {
        int[] prompt = ProblemPrompt.Encode(engine.Encoder, trace.Problem, engine.Model.MaxLength);
        return new TrainingSequence([.. prompt, .. trace.TokenIds], prompt.Length);
    }
}
