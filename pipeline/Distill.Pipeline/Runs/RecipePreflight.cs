using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Sources.Selection;
using Distill.Pipeline.Models;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>
/// Holds a recipe against the models and problems it names, before any work and in a few seconds, so that an hour of traces is
/// not spent on a student that cannot be trained. Reads configurations, tokenizers and the headers of weights, not the weights.
/// </summary>
internal sealed class RecipePreflight
{
    private const string TokenizerRemedy = "give the folder with the model's tokenizer.json";

    private readonly DistillationRecipe recipe;
    private readonly IReadOnlyList<TeacherRole> teachers;
    private readonly List<RecipeProblem> problems = [];
    private readonly List<string> notes = [];
    private bool othersMarkThinking;

    private RecipePreflight(DistillationRecipe recipe) => (this.recipe, teachers) = (recipe, TeacherRole.Of(recipe));

    /// <exception cref="InvalidRecipeException">Something does not fit the recipe; all faults at once.</exception>
    /// <param name="makesStudent">False where only the data set is asked for: the student is then not looked at.</param>
    /// <returns>What is to be looked at and stops nothing, a sentence each.</returns>
    public static IReadOnlyList<string> Require(DistillationRecipe recipe, bool makesStudent)
    {
        var preflight = new RecipePreflight(recipe);
        preflight.Run(makesStudent);
        return preflight.problems.Count == 0 ? preflight.notes : throw new InvalidRecipeException(recipe.Name, preflight.problems);
    }

    private void Run(bool makesStudent)
    {
        var teacher = recipe.Teacher.IsLocal ? OpenTeacher(teachers[0]) : null;
        var student = !makesStudent ? null
            : Open("student.base", recipe.Student.Base, "give the folder of a checkpoint with a tokenizer", () =>
                Checkpoint.Open(recipe.Student.Base));
        var studentEncoder = student is null ? null
            : Open("student.base", recipe.Student.Base, "give the folder of a checkpoint with tokenizer and chat template", () =>
                ChatEncoder.Load(recipe.Student.Base).RequireChat());
        if (student is not null) CheckSizes(student.Architecture);
        foreach (var role in teachers.Skip(1)) CheckFurther(role);
        var fit = ModelFit.Of(
            recipe, teacher,
            student is null || studentEncoder is null ? null : new ModelFacts(student.Architecture.VocabularySize, studentEncoder),
            othersMarkThinking);
        problems.AddRange(fit.Faults);
        notes.AddRange(fit.Notes);
        CheckEngine(teachers[0]);
        if (recipe.Teacher.Remote is { TokenIds: true, Tokenizer: { } folder } remote)
            CheckTokens(Open("teacher.tokenizer", folder, TokenizerRemedy, remote.OpenTokenizer),
                studentEncoder?.Tokenizer);
        CheckTraces(studentEncoder);
        CheckProblems(makesStudent);
        problems.AddRange(recipe.Devices.Problems(recipe, makesStudent));
    }

    private T? Open<T>(string path, string value, string remedy, Func<T?> open)
        where T : class
    {
        try
        {
            return open();
        }
        catch (InvalidDataException fault)
        {
            Add(path, value, fault.Message.TrimEnd('.'), remedy);
            return null;
        }
    }

    private void CheckFurther(TeacherRole role)
    {
        if (!role.Teacher.IsLocal)
        {
            othersMarkThinking = true; // what an endpoint does is not known
            if (role.Teacher.Remote is { TokenIds: true, Tokenizer: { } folder } remote)
                Open(role.Place("teacher.tokenizer"), folder, TokenizerRemedy, remote.OpenTokenizer);
            return;
        }

        var teacher = OpenTeacher(role);
        othersMarkThinking |= teacher?.Encoder.MarksThinking == true;
        var fit = ModelFit.Of(role.Recipe, teacher, student: null);
        problems.AddRange(fit.Faults.Select(fault => fault with { Path = role.Place(fault.Path) }));
        notes.AddRange(fit.Notes.Select(role.Place));
        CheckEngine(role);
    }

    private ModelFacts? OpenTeacher(TeacherRole role) => Open(role.Place("teacher.model"), role.Teacher.Model,
        "give the folder of an ONNX model or of a checkpoint, with tokenizer and chat template", () => ModelFacts.Of(role.Teacher.Model));

    private void CheckEngine(TeacherRole role)
    {
        var teacher = role.Teacher;
        if (!teacher.IsLocal || recipe.Traces.From is not null) return;
        if (teacher.Engine.FaultOf(teacher.Model) is { } fault)
            Add(role.Place("teacher.engine"), OptionDeclaration.Spell(teacher.Engine), fault, "leave it out: the engine onnx runs it");
        else if (teacher.Engine.SlowerBecause(teacher.Slots, teacher.Samples) is { } why) notes.Add(role.Place($"teacher.engine: {why}"));
    }

    private void CheckSizes(DecoderArchitecture whole)
    {
        foreach (var (path, training) in new[] { ("sft.sequence_length", recipe.Sft), ("answer_only.sequence_length", recipe.AnswerOnly) })
        {
            if (training.Enabled && training.SequenceLength > whole.MaxPositions)
                Add(path, $"{training.SequenceLength}", $"longer than the {whole.MaxPositions:N0} positions of the base",
                    "lower it, or take a base with a longer context");
        }

        foreach (var (path, asked, there, what) in new (string, int?, int, string)[]
        {
            ("student.layers", recipe.Student.Layers, whole.Layers, "layers"),
            ("student.intermediate", recipe.Student.Intermediate, whole.IntermediateSize, "feed-forward channels"),
            ("student.key_value_heads", recipe.Student.KeyValueHeads, whole.KeyValueHeads, "key-value heads"),
        })
        {
            if (asked > there) Add(path, $"{asked}", $"the base has {there:N0} {what}, and a cut keeps some of them",
                $"write at most {there:N0}, or leave it out");
        }
    }

    // Existing traces are looked at before the first step: their first row tells what they hold.
    private void CheckTraces(ChatEncoder? student)
    {
        const string Remedy = "give a run's folder, or a file or folder of traces";
        if (recipe.Traces.From is not { } place) return;
        Action<BadRow>? skipped = recipe.Problems.SkipsBadRows ? _ => { } : null;
        var first = Open("traces.from", place, Remedy, () => GivenTraces.Read(place, skipped).FirstOrDefault()
            ?? throw new InvalidDataException("it holds no trace"));
        if (first is { Reasoning.Length: > 0 } && student is { MarksThinking: false } && !recipe.Student.AddTokens)
            Add("student.base", recipe.Student.Base, $"the traces hold reasoning, and its tokenizer has no {ThinkMarks.Open} and "
                + $"{ThinkMarks.Close} to mark it with", "set student.add_tokens to true, which gives it both");
        if (first is null || student is null || recipe.SoftLabels is null) return;
        if (first.TokenizerFingerprint != student.Tokenizer.Fingerprint)
            Add("soft_labels", "", first.TokenizerFingerprint.Length == 0 ? "the traces were made with a tokenizer that is not known"
                : "the traces were made with another tokenizer than the student's, so their alternatives mean other tokens to it",
                "leave it out, or take traces or a student with the other's tokenizer");
        else if (first.TopIds.Count == 0)
            Add("soft_labels", "", "the traces hold no alternatives to their tokens",
                "leave it out, or take traces that were made with teacher.top_log_probabilities");
    }

    private void CheckTokens(Tokenizer? teacher, Tokenizer? student)
    {
        if (teacher is not null && student is not null && teacher.Fingerprint != student.Fingerprint)
            Add("teacher.token_ids", "true", "the endpoint's model and the student have different tokenizers, so its token ids mean other "
                + "tokens to the student", "leave it out, or take a student with the model's tokenizer");
    }

    private void CheckProblems(bool makesStudent)
    {
        if (recipe.Problems.HasSources) CheckSources(makesStudent);
        else CheckFamilies();
    }

    // Every row is read and every gold held against its verifier: what is wrong with one shows now, not after a night of generation.
    private void CheckSources(bool makesStudent)
    {
        const string Path = "problems.sources";
        try
        {
            var problems = RecipeProblems.Of(recipe.Problems);
            var train = Check("problems.train", Split.Train, recipe.Problems.Train, problems);
            CheckDomains(train);
            if (makesStudent) CheckPractice(train.Count, problems);
            // A data set alone is asked for neither of the others, unless curation keeps away from the test.
            if (makesStudent || recipe.Curation.ContaminationWords is not null)
                Check("problems.test", Split.Test, recipe.Problems.Test, problems);
            if (!makesStudent) return;
            var validation = Check("problems.validation", Split.Validation, recipe.Problems.Validation, problems);
            if (validation.Count == 0 && IsSteered)
            {
                Add("problems.validation", $"{recipe.Problems.Validation}", "no validation problem is left, by which training is steered",
                    "set problems.validation above 0, name a source with split: validation, give more rows, or leave out what is steered");
            }
        }
        catch (BadRowsException rows)
        {
            foreach (string fault in rows.Faults) Add(Path, "", fault, BadRowsException.Remedy);
            if (rows.Count > rows.Faults.Count)
                Add(Path, "", $"{rows.Count - rows.Faults.Count:N0} more rows are no problem", "'distill problems check' lists them");
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Add(Path, "", fault.Message.TrimEnd('.'), "'distill problems check RECIPE' shows what each source gives");
        }
    }

    private void CheckPractice(int train, RecipeProblems problems)
    {
        int wanted = recipe.Problems.Practice;
        if (wanted == 0 || train == 0) return; // said already
        if (problems.Take(Split.Train, recipe.Problems.Train + wanted, default).Count <= train)
            Add("problems.practice", $"{wanted}", $"all {train:N0} training problems that there are have traces",
                "lower problems.train, so that some are left, give more rows, or leave it out");
    }

    // Whether a training looks at held-out problems.
    private bool IsSteered => recipe.Rl.Steps > 0 || recipe.Preference is { EvaluateEvery: > 0 }
        || new[] { recipe.Sft, recipe.AnswerOnly }
            .Any(training => training is { Enabled: true, HeldOut.Measure: HeldOutMeasureKind.Accuracy });

    // What a teacher is asked must be there: whose it is was misspelled, or nothing is.
    private void CheckDomains(IReadOnlyList<Problem> train)
    {
        if (recipe.Teachers.Count == 0 || train.Count == 0 || recipe.ContinueFrom is not null) return; // what is new since is known later
        string[] there = [.. train.Select(problem => problem.Domain).Distinct().Order(StringComparer.Ordinal)];
        foreach (var role in teachers)
        {
            string[] absent = [.. role.Domains.Except(there)];
            if (absent.Length > 0)
                Add(role.Place("teacher.domains"), role.Teacher.Domains!, $"no training problem is of {string.Join(", ", absent)}",
                    $"write some of {string.Join(", ", there)}");
        }
    }

    private IReadOnlyList<Problem> Check(string path, Split split, int count, RecipeProblems problems)
    {
        try
        {
            return problems.Take(split, count, default);
        }
        catch (InvalidDataException shortage) when (shortage.Message.IndexOf(": ", StringComparison.Ordinal) is var colon and > 0)
        {
            Add(path, $"{count}", shortage.Message[..colon], shortage.Message[(colon + 2)..].TrimEnd('.'));
            return [];
        }
    }

    private void CheckFamilies()
    {
        foreach (var (path, split, count) in new[]
        {
            ("problems.train", Split.Train, recipe.Problems.Train), ("problems.validation", Split.Validation, recipe.Problems.Validation),
            ("problems.test", Split.Test, recipe.Problems.Test),
        })
        {
            var parts = recipe.Problems.ToParts(split);
            foreach (string shortage in ProblemSet.FindShortages(parts, (ulong)recipe.Problems.Seed, split, count))
            {
                // One sentence: what is missing, then what to do.
                int colon = shortage.IndexOf(": ", StringComparison.Ordinal);
                Add(path, $"{count}", shortage[..colon], shortage[(colon + 2)..].TrimEnd('.'));
            }
        }

        foreach (var role in teachers.Where(role => role.MostProblems == 0))
            Add(role.Place("teacher.domains"), role.Teacher.Domains!, "none of the training problems is of these",
                "raise problems.train, or the weight of such a family");
        CheckPractice(recipe.Problems.ToParts(Split.Train));
    }

    // Practice takes what is left of each family; only where nothing is left of any is there nothing to practise on.
    private void CheckPractice(IReadOnlyList<ProblemSetPart> parts)
    {
        int wanted = recipe.Problems.Practice, train = recipe.Problems.Train;
        if (wanted == 0) return;
        var seed = (ulong)recipe.Problems.Seed;
        double[] weights = [.. parts.Select(part => part.Weight)];
        // Of most recipes the first family has enough for both, which costs no draw.
        if (parts.Zip(ProblemSet.Shares(weights, train), ProblemSet.Shares(weights, train + wanted)).Any(part =>
            part.Third > part.Second && ProblemSet.FindShortages([part.First], seed, Split.Train, part.Third).Count == 0)) return;
        // Fewer than those with traces: then that was said.
        if (ProblemSet.GenerateAtMost(parts, seed, Split.Train, train + wanted).Count == train)
            Add("problems.practice", $"{wanted}", $"the families have no training problems beside the {train:N0} that have traces",
                "lower problems.train, so that some are left, add families or levels, or leave it out");
    }

    private void Add(string path, string value, string fault, string remedy) =>
        problems.Add(new RecipeProblem(path, "", value, fault, remedy));
}
