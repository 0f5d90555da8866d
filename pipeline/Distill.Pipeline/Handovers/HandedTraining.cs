using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;
using Distill.Student.Pruning;
using Distill.Student.Training;
using Distill.Teacher.Remote.Judging;

namespace Distill.Pipeline.Handovers;

/// <summary>
/// A training of a run that another trainer is to do: what it begins with and what it learns from, exactly as the run's own stage would.
/// Everything it needs must be finished; nothing is made. One thread.
/// </summary>
internal sealed class HandedTraining
{
    public const string Supervised = SupervisedStage.StepsName, Preference = PreferenceStage.StageName,
        Reinforcement = ReinforcementStage.StageName;

    private const int PruningSample = 64;

    private readonly FinishedStages finished;
    private readonly StageGraph graph;
    private readonly StageInput start;
    private readonly Lazy<StudentStart> student;
    private readonly Lazy<SupervisedExamples> examples;
    private readonly Lazy<PolicyPairs> pairs;

    private HandedTraining(
        RunFolder run, DistillationRecipe recipe, IStage stage, StageGraph graph, FinishedStages finished, string folder)
    {
        (Run, Recipe, Stage, this.graph, this.finished) = (run.Name, recipe, stage.Declaration.Name, graph, finished);
        StartName = stage.Declaration.Inputs.First(name => name == ExternalInputs.Base || graph.Students.Any(made => made.Name == name));
        start = StartName == ExternalInputs.Base
            ? ExternalInputs.Of(recipe, [stage], finished.Store.Digests)[ExternalInputs.Base] : InputOf(StartName);
        student = new(() => StudentStart.Open(start, recipe, StartName, folder, _ => { }));
        examples = new(() => SupervisedExamples.Read(
            CuratedFiles(), student.Value.Encoder, steps: true, teacher: null, recipe.Sft.SequenceLength, recipe.Sft.HeldOut?.LossShare,
            (ulong)recipe.Sft.Seed));
        pairs = new(ReadPairs);
    }

    public static IReadOnlyList<string> Stages { get; } = [Supervised, Preference, Reinforcement];

    /// <summary>Name of the run.</summary>
    public string Run { get; }

    public DistillationRecipe Recipe { get; }

    /// <summary>One of <see cref="Stages"/>.</summary>
    public string Stage { get; }

    /// <summary>Stage, or model of the recipe, whose student is handed over.</summary>
    public string StartName { get; }

    public string StartDigest => start.Digest;

    /// <summary>The student, its tokenizer, and how it is spoken to.</summary>
    public StudentStart Student => student.Value;

    /// <summary>Of <see cref="Supervised"/>.</summary>
    public SupervisedExamples Examples => examples.Value;

    /// <summary>Of <see cref="Preference"/>.</summary>
    public PolicyPairs Pairs => pairs.Value;

    /// <param name="stage">One of <see cref="Stages"/>; null for the last training of the recipe.</param>
    /// <param name="work">A folder for what is made on the way.</param>
    /// <exception cref="RunRefusedException">The recipe has no such training, or what it needs is not finished.</exception>
    public static HandedTraining Open(RunFolder run, DistillationRecipe recipe, string? stage, string work, TimeProvider clock)
    {
        var graph = StageGraph.For(recipe);
        IStage[] trainings = [.. graph.Stages.Where(one => Stages.Contains(one.Declaration.Name))];
        var chosen = stage is null ? trainings.LastOrDefault() : trainings.FirstOrDefault(one => one.Declaration.Name == stage);
        if (chosen is null)
        {
            string there = trainings.Length == 0 ? "none" : string.Join(", ", trainings.Select(one => one.Declaration.Name));
            throw new RunRefusedException(stage is null ? $"The recipe of '{run.Name}' trains nothing that could be handed over."
                : $"The recipe of '{run.Name}' has no training '{stage}'; there is {there}. "
                    + "Add it to the recipe, or choose another --stage.");
        }

        return new HandedTraining(
            run, recipe, chosen, graph, new FinishedStages(run, new ArtifactStore(run.StorePath, clock), useOtherRuns: false), work);
    }

    /// <summary>What the training begins with: cut and given tokens as the run's own stage would.</summary>
    public WeightSet Weights() => Stage == Supervised && Recipe.Student.ToPruning() is { } pruning
        ? DecoderPruning.Prune(Student.Weights, pruning, [.. Examples.Training.Take(PruningSample)])
        : Student.Weights;

    /// <summary>The examples of <see cref="Supervised"/> with the traces they were made of, in the order of training's list.</summary>
    public IEnumerable<(Trace Trace, TrainingSequence Example)> Traces() => SupervisedExamples
        .Of(CuratedFiles(), Student.Encoder, steps: true, teacher: null)
        .Where(kept => kept.Example.Tokens.Count <= Recipe.Sft.SequenceLength);

    /// <summary>What the training asks: rewards may have problems of their own.</summary>
    public IReadOnlyList<Problem> Problems()
    {
        string asked = Stage == ReinforcementStage.StageName ? ProblemsStage.OfReinforcement(Recipe) : ProblemsStage.Train;
        return [.. ProblemFile.Read(InputOf(asked).PathOf(ProblemsStage.FileName))];
    }

    /// <summary>Graded completions of the training problems, to show verdicts on; none where the run graded none.</summary>
    public IEnumerable<Trace> Graded() => Linked(CurationStage.StageName) is { } curated
        ? new StageInput(curated.Folder, curated.Digest, curated).PathsOf(".parquet").SelectMany(TraceFile.ReadGradedTexts)
            .Select(graded => graded.Trace)
        : [];

    private IEnumerable<string> CuratedFiles() => ReplayStage.InputsOf(Recipe).Prepend(CurationStage.StageName)
        .SelectMany(name => InputOf(name).PathsOf(".parquet"));

    private PolicyPairs ReadPairs()
    {
        if (Recipe.Problems.VerifierNames().Contains(JudgeVerifier.JudgeName))
        {
            throw new RunRefusedException(
                "A judge decides which completions are right, and it is not asked again for a hand-over. Hand over another --stage.");
        }

        var section = Recipe.Preference!;
        var pairs = PolicyPairs.Of(
            [.. InputOf(StudentSamples.PreferenceStage).PathsOf(".parquet").SelectMany(TraceFile.Read)], ProblemVerifiers.Standard,
            Student.Encoder, Student.Architecture.MaxPositions, section.PairsPerProblem, (ulong)section.Seed);
        return pairs.Pairs.Count > 0 ? pairs : throw new RunRefusedException(
            "No problem was solved in some completions and failed in others, so there are no pairs to hand over. "
            + "Raise preference.samples or preference.problems and run it again.");
    }

    private StageInput InputOf(string name)
    {
        var made = Linked(name) ?? throw new RunRefusedException(
            $"The stage '{name}' of '{Run}' is not finished, and the training '{Stage}' needs it. "
            + $"Run it first: distill resume {Run}.");
        return new StageInput(made.Folder, made.Digest, made);
    }

    private Artifact? Linked(string name) =>
        graph.Stages.FirstOrDefault(stage => stage.Declaration.Name == name) is { } stage ? finished.Linked(stage)?.Artifact : null;
}
