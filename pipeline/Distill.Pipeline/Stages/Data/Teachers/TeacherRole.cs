using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Pipeline.Stages.Data.Teachers;

/// <summary>
/// One teacher of a recipe that writes traces: what its stage, its folder and its model are called, and the recipe as that stage reads it,
/// in which it is the only teacher. Immutable.
/// </summary>
/// <param name="Recipe">The recipe with this teacher as <c>teacher</c> and no other.</param>
/// <param name="Stage">Name of the stage that asks it.</param>
/// <param name="Folder">Of its traces in a run.</param>
/// <param name="Model">What its model is called among the inputs of stages.</param>
/// <param name="Path">Of its section in the recipe.</param>
internal sealed record TeacherRole(DistillationRecipe Recipe, string Stage, string Folder, string Model, string Path)
{
    private const string Section = "teacher.";

    /// <summary>The first is the recipe's <c>teacher</c>; where it is the only one, its traces are the run's.</summary>
    public static IReadOnlyList<TeacherRole> Of(DistillationRecipe recipe) => recipe.Teachers.Count == 0
        ? [new(recipe, TracesStage.StageName, TracesStage.FolderName, ModelOf(0), DistillationRecipe.PathOfTeacher(0))]
        : [.. recipe.TraceWriters.Select((teacher, index) => new TeacherRole(
            recipe with { Teacher = teacher, Teachers = [] },
            $"{TracesStage.StageName}/{index + 1}", $"{TracesStage.FolderName}-{index + 1}",
            ModelOf(index), DistillationRecipe.PathOfTeacher(index)))];

    /// <summary>What of its domains decides its traces; the order does not. Null for all.</summary>
    public static JsonNode? KeyOf(TeacherSection teacher) =>
        teacher.DomainNames.Count == 0 ? null : string.Join(",", teacher.DomainNames.Order(StringComparer.Ordinal));

    /// <summary>What the model of a teacher is called among the inputs of stages.</summary>
    /// <param name="index">Among those that write traces.</param>
    public static string ModelOf(int index) => index == 0 ? ExternalInputs.Teacher : $"{ExternalInputs.Teacher}-{index + 1}";

    /// <returns>Null where the recipe has no teacher of this name.</returns>
    public static TeacherRole? Find(DistillationRecipe recipe, string model) => Of(recipe).FirstOrDefault(role => role.Model == model);

    /// <summary>Tokens of a trace that can be expected, prompt and completion, by what the teachers' stages made or are to make.</summary>
    public static double? TokensOf(DistillationRecipe recipe, Foresight earlier)
    {
        double[] known = [.. Of(recipe).Select(role => earlier.Tokens(role.Stage)).OfType<double>()];
        return known.Length == 0 ? null : known.Average();
    }

    /// <summary>Traces that all teachers together write at most.</summary>
    public static long MostTraces(DistillationRecipe recipe) => Of(recipe).Sum(role => role.MostProblems * role.Teacher.Samples);

    public TeacherSection Teacher => Recipe.Teacher;

    /// <summary>The domains that it is asked; empty for all.</summary>
    public IReadOnlyList<string> Domains => Teacher.DomainNames;

    /// <summary>What is said of it as the only teacher, with its own place in the recipe.</summary>
    public string Place(string text) => text.StartsWith(Section, StringComparison.Ordinal) ? $"{Path}.{text[Section.Length..]}" : text;

    /// <summary>Training problems that it is asked: of generated ones all that are drawn of its domains, of others at most.</summary>
    public long MostProblems
    {
        get
        {
            var problems = Recipe.Problems;
            if (Domains.Count == 0 || problems.HasSources) return problems.Train;
            var parts = problems.ToParts(Split.Train);
            int[] shares = ProblemSet.Shares([.. parts.Select(part => part.Weight)], problems.Train);
            return parts.Zip(shares, (part, share) => Domains.Contains(ProblemFamilies.Get(part.Family).Domain) ? share : 0).Sum();
        }
    }

    /// <summary>What it is asked, in words.</summary>
    public string Asked => Domains.Count == 0 ? $"{Recipe.Problems.Train:N0} problems"
        : $"{(Recipe.Problems.HasSources ? "at most " : "")}{MostProblems:N0} problems ({string.Join(", ", Domains)})";

    /// <summary>The training problems that it is asked; of what is new since a promotion there may be none.</summary>
    public ProblemParts Problems(StageContext context)
    {
        var parts = ProblemParts.Of(context.Input(ProblemsStage.Train), Domains);
        if (parts.Count == 0)
            context.Warning($"{Teacher.Name} is asked nothing: no training problem is of {string.Join(", ", Domains)}.");
        return parts;
    }
}
