using System.Reflection;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Pipeline.Stages.Training;

namespace Distill.Pipeline.Graph;

/// <summary>
/// A section of a recipe that trains the student: the recipe's record has it as a property, and that is all the graph needs to know of it.
/// </summary>
internal interface ITrainingSection
{
    /// <param name="start">Stage, or model of the recipe, whose student it goes on from.</param>
    /// <returns>None when the recipe switches it off.</returns>
    IEnumerable<IStage> StagesOf(DistillationRecipe recipe, string start);

    /// <summary>Whether it trains a student that is only there to be compared with; those come first.</summary>
    bool IsComparison(DistillationRecipe recipe) => false;

    /// <summary>Whether the student completes problems while it is trained, on the device where that is done.</summary>
    bool ServesStudent(DistillationRecipe recipe) => false;
}

/// <summary>
/// The stages of a recipe, each after what it is made from; what the recipe switches off is left out. Which students there are, which of
/// them is exported, and which are compared with which follows from the stages' declarations.
/// </summary>
internal sealed class StageGraph
{
    public const string Teacher = "teacher", Base = "base", Exported = "onnx";

    // A recipe's sections that train, in the order in which the recipe declares them.
    private static readonly IReadOnlyList<PropertyInfo> TrainingSections =
    [
        .. typeof(DistillationRecipe).GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(property => property.PropertyType.IsAssignableTo(typeof(ITrainingSection))).OrderBy(property => property.MetadataToken),
    ];

    /// <param name="student">The stage whose student is exported.</param>
    internal StageGraph(IReadOnlyList<IStage> stages, string student) => (Stages, Student) = (stages, student);

    /// <summary>In an order in which they can be done.</summary>
    public IReadOnlyList<IStage> Stages { get; }

    /// <summary>The stage whose student is exported: the last that trains one; the base itself where none does.</summary>
    public string Student { get; }

    /// <summary>The stages that make students, in order.</summary>
    public IEnumerable<StageDeclaration> Students => Stages.Select(stage => stage.Declaration).Where(stage => stage.Student is not null);

    /// <summary>
    /// Students whose difference a report states: each with the next ones of its line, what branches off with both its ends.
    /// </summary>
    public IEnumerable<(string Before, string After)> Comparisons
    {
        get
        {
            string[] line = [.. Students.Where(stage => stage.Student!.Continues).Select(stage => stage.Student!.Name)];
            foreach (string side in Students.Where(stage => !stage.Student!.Continues).Select(stage => stage.Student!.Name))
            {
                yield return (Base, side);
                if (line.Length > 0) yield return (side, line[0]);
            }

            if (line.Length > 0) yield return (Base, line[0]);
            for (int later = 1; later < line.Length; later++)
            {
                for (int earlier = later - 1; earlier >= 0; earlier--) yield return (line[earlier], line[later]);
            }

            yield return (line.LastOrDefault(Base), Teacher);
        }
    }

    /// <summary>
    /// Whether any training has the student complete problems meanwhile. Known without the stages, whose keys depend on it.
    /// </summary>
    public static bool ServesStudent(DistillationRecipe recipe) => TrainingsOf(recipe).Any(training => training.ServesStudent(recipe));

    public static StageGraph For(Recipe recipe) => recipe switch
    {
        DistillationRecipe distillation => For(distillation),
        PretrainRecipe pretraining => new StageGraph([new PretrainingStage(pretraining)], PretrainingStage.StageName),
        _ => throw new ArgumentException($"No such kind of recipe: {recipe.GetType()}.", nameof(recipe)),
    };

    private static StageGraph For(DistillationRecipe recipe)
    {
        var stages = new List<IStage>(DataStages(recipe));
        string student = ExternalInputs.Base;
        foreach (var training in TrainingsOf(recipe))
        {
            foreach (var stage in training.StagesOf(recipe, student))
            {
                stages.Add(stage);
                if (stage.Declaration.Student is { Continues: true }) student = stage.Declaration.Name;
            }
        }

        stages.Add(new ExportStage(recipe, student));
        stages.Add(new ParityStage(recipe, student));
        stages.AddRange(Evaluations(recipe, [.. stages]));
        if (recipe.Evaluation.ChosenStrategies.Count > 0) stages.Add(new StrategyStage(recipe));
        stages.Add(new PackageStage(recipe, student));
        return new StageGraph(stages, student);
    }

    private static IEnumerable<ITrainingSection> TrainingsOf(DistillationRecipe recipe) =>
        TrainingSections
            .Select(section => section.GetValue(recipe))
            .OfType<ITrainingSection>()
            .Where(section => recipe.Returned?.Replaces(section, recipe) is not true)
            .OrderBy(section => !section.IsComparison(recipe));

    /// <summary>The data set alone: problems to be solved, the teacher's traces, curated.</summary>
    private static IEnumerable<IStage> DataStages(DistillationRecipe recipe) =>
    [
        .. ProblemsStage.All(recipe),
        .. TraceStages(recipe),
        .. recipe.Curation.Learnability is null ? Array.Empty<IStage>() : [new LearnabilityStage(recipe)],
        new CurationStage(recipe),
        .. ReplayStage.InputsOf(recipe).Count == 0 ? Array.Empty<IStage>() : [new ReplayStage(recipe)],
    ];

    private static IEnumerable<IStage> TraceStages(DistillationRecipe recipe)
    {
        if (recipe.Traces.From is not null)
        {
            yield return new GivenTracesStage(recipe);
            yield break;
        }

        if (recipe.Traces.Preflight is { } preflight) yield return new PreflightStage(recipe, preflight);
        var roles = TeacherRole.Of(recipe);
        foreach (var role in roles)
            yield return role.Teacher.Remote is { } remote ? new RemoteTracesStage(role, remote) : new TracesStage(role);
        if (roles.Count > 1) yield return new JoinedTracesStage(recipe, roles);
    }

    private static IEnumerable<IStage> Evaluations(DistillationRecipe recipe, IReadOnlyList<IStage> made)
    {
        // A remote teacher is not evaluated: nobody expects a report to send a bill. Its traces are graded like any other's.
        if (recipe.Teacher.IsLocal) yield return EvaluationStage.OfModelFolder(recipe, Teacher, ExternalInputs.Teacher);
        yield return EvaluationStage.OfCheckpoint(recipe, Base, ExternalInputs.Base);
        foreach (var stage in made.Select(stage => stage.Declaration).Where(stage => stage.Student is not null))
            yield return EvaluationStage.OfCheckpoint(recipe, stage.Student!.Name, stage.Name);
        yield return EvaluationStage.OfModelFolder(recipe, Exported, ExportStage.StageName);
    }
}
