using Distill.Evaluation;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// The models of a report: their order, their words and their colours. All of it follows from <see cref="RunReport.Models"/>; a name that
/// is not declared there stands for itself, after the others.
/// </summary>
internal sealed class ReportModels
{
    /// <summary>Colours there are in report.css; after the last the first comes again.</summary>
    private const int Colors = 10;

    private readonly RunReport report;
    private readonly List<ReportedModel> models;

    public ReportModels(RunReport report)
    {
        this.report = report;
        models = [.. report.Models];
        foreach (string name in report.Evaluations.Select(row => row.Model).Concat(report.Comparisons.SelectMany(Names)))
        {
            if (Find(name) is null) models.Add(new ReportedModel(name, ModelRole.Student, name, ""));
        }
    }

    /// <summary>Evaluated models, from the teacher to the exported file.</summary>
    public IReadOnlyList<EvaluationReport> Rows => [.. report.Evaluations.OrderBy(row => Place(row.Model))];

    /// <summary>Students that the run trained and evaluated, in order.</summary>
    public IEnumerable<ReportedModel> Trained => models.Where(model => model.Role == ModelRole.Student && SizeOf(model.Name) is not null);

    /// <summary>Students of which each goes on from the one before it, those with results, in order.</summary>
    public IReadOnlyList<ReportedModel> Line => [.. models.Where(model => model is { Role: ModelRole.Student, IsAside: false }
        && RowOf(model.Name) is not null)];

    /// <summary>One model's results; null where it was not evaluated.</summary>
    public EvaluationReport? RowOf(string model) => report.Evaluations.FirstOrDefault(row => row.Model == model);

    /// <summary>Results of the first model of a role.</summary>
    public EvaluationReport? RowOf(ModelRole role) => Rows.FirstOrDefault(row => RoleOf(row.Model) == role);

    /// <summary>Whether a model is only there to be compared with.</summary>
    public bool IsAside(string model) => Find(model) is { IsAside: true };

    /// <summary>Where a model stands among the others; those that nobody declared come last.</summary>
    public int PlaceOf(string model) => Place(model);

    public ModelRole RoleOf(string model) => Find(model)?.Role ?? ModelRole.Student;

    /// <summary>What a model is called in a sentence.</summary>
    public string WordFor(string model) => Find(model)?.Word ?? model;

    /// <summary>What the row is, for a reader who sees the names for the first time.</summary>
    public string MeaningOf(string model) => Find(model)?.Meaning ?? "";

    /// <summary>
    /// A style class, always one of ours whatever the model is called. A stage has the colour of the model that it makes.
    /// </summary>
    public string ColorOf(string model) =>
        Place(model) is var place && place < models.Count ? $"c{place % Colors}" : $"c{models.Count % Colors}";

    public ModelSize? SizeOf(string model) => report.ModelSizes.FirstOrDefault(size => size.Model == model);

    private ReportedModel? Find(string name) => models.FirstOrDefault(model => model.Name == name);

    private int Place(string name) => models.FindIndex(model => model.Name == name) is >= 0 and var place ? place : models.Count;

    private static string[] Names(ModelComparison comparison) => [comparison.Against, comparison.Model];
}
