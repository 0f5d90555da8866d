using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Data.Sources.Selection;
using Distill.Pipeline.Models;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>
/// Holds a recipe against the models and problems it names, before any work and in a few seconds, so that an hour of traces is
/// not spent on a student that cannot be trained. Reads configurations, tokenizers and the headers of weights, not the weights.
/// </summary>
internal sealed class RecipePreflight
{
    private readonly DistillationRecipe recipe;
    private readonly List<RecipeProblem> problems = [];

    private RecipePreflight(DistillationRecipe recipe) => this.recipe = recipe;

    /// <exception cref="InvalidRecipeException">Something does not fit the recipe; all faults at once.</exception>
    /// <param name="makesStudent">False where only the data set is asked for: the student is then not looked at.</param>
    public static void Require(DistillationRecipe recipe, bool makesStudent)
    {
        var preflight = new RecipePreflight(recipe);
        preflight.Run(makesStudent);
        if (preflight.problems.Count > 0) throw new InvalidRecipeException(recipe.Name, preflight.problems);
    }

    private void Run(bool makesStudent)
    {
        var teacher = recipe.Teacher.Remote is not null ? null
            : Open("teacher.model", recipe.Teacher.Model,
                "give the folder of an ONNX model or of a checkpoint, with tokenizer and chat template", () =>
                ModelFacts.Of(recipe.Teacher.Model));
        var student = !makesStudent ? null
            : Open("student.base", recipe.Student.Base, "give the folder of a checkpoint with a tokenizer", () =>
                Checkpoint.Open(recipe.Student.Base));
        var studentEncoder = student is null ? null
            : Open("student.base", recipe.Student.Base, "give the folder of a checkpoint with tokenizer and chat template", () =>
                ChatEncoder.Load(recipe.Student.Base).RequireChat());
        if (student is not null) CheckSizes(student.Architecture);
        // A model without marks thinks in its answer; what an endpoint does is not known.
        if (studentEncoder is not null && teacher?.Encoder.MarksThinking != false) CheckThinkMarks(studentEncoder);
        if (teacher is not null && student is not null && studentEncoder is not null)
            CheckSameTokens(teacher.Encoder, teacher.VocabularySize, studentEncoder, student.Architecture.VocabularySize);
        if (recipe.Teacher.Remote is { TokenIds: true, Tokenizer: { } folder } remote)
            CheckTokens(Open("teacher.tokenizer", folder, "give the folder with the model's tokenizer.json", remote.OpenTokenizer),
                studentEncoder?.Tokenizer);
        CheckProblems();
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

    private void CheckThinkMarks(ChatEncoder student)
    {
        if (!student.MarksThinking && !recipe.Student.AddTokens)
            Add("student.base", recipe.Student.Base, $"its tokenizer has no {ThinkMarks.Open} and {ThinkMarks.Close}",
                "set student.add_tokens to true, which gives it both");
    }

    private void CheckSameTokens(ChatEncoder teacher, int teacherVocabulary, ChatEncoder student, int studentVocabulary)
    {
        const string Remedy = "leave it out, or take a teacher or a student with the other's tokenizer";
        var style = recipe.Prompt.ToStudentStyle(); // in which both read the student's completions
        bool isSame = teacher.Tokenizer.Fingerprint == student.Tokenizer.Fingerprint;
        if (recipe.SoftLabels is not null && !isSame)
            Add("soft_labels", "", "teacher and student have different tokenizers, so the teacher's alternatives mean other tokens to "
                + "the student", Remedy);
        if (recipe.Rl is { Steps: > 0, TeacherWeight: { } weight }
            && !(isSame && teacherVocabulary == studentVocabulary && Begins(teacher.With(style), student.With(style))))
            Add("rl.teacher_weight", $"{weight}",
                "it needs one tokenizer, vocabulary and chat template for teacher and student, and these differ", Remedy);
    }

    private void CheckTokens(Tokenizer? teacher, Tokenizer? student)
    {
        if (teacher is not null && student is not null && teacher.Fingerprint != student.Fingerprint)
            Add("teacher.token_ids", "true", "the endpoint's model and the student have different tokenizers, so its token ids mean other "
                + "tokens to the student", "leave it out, or take a student with the model's tokenizer");
    }

    private static bool Begins(ChatEncoder teacher, ChatEncoder student)
    {
        ChatMessage[] messages = [ChatMessage.User("What is 2 + 2?")];
        return teacher.EndToken == student.EndToken && teacher.EncodePrompt(messages).SequenceEqual(student.EncodePrompt(messages));
    }

    private void CheckProblems()
    {
        if (recipe.Problems.HasSources) CheckSources();
        else CheckFamilies();
    }

    // Every row is read and every gold held against its verifier: what is wrong with one shows now, not after a night of generation.
    private void CheckSources()
    {
        const string Path = "problems.sources";
        try
        {
            var problems = RecipeProblems.Of(recipe.Problems);
            Check("problems.train", Split.Train, recipe.Problems.Train, problems);
            int validation = Check("problems.validation", Split.Validation, recipe.Problems.Validation, problems);
            Check("problems.test", Split.Test, recipe.Problems.Test, problems);
            if (validation == 0 && (recipe.Rl.Steps > 0 || recipe.Preference is not null))
            {
                Add("problems.validation", $"{recipe.Problems.Validation}", "no validation problem is left, by which training is steered",
                    "name a source with split: validation, give more rows, or leave out rl and preference");
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

    private int Check(string path, Split split, int count, RecipeProblems problems)
    {
        try
        {
            return problems.Take(split, count, default).Count;
        }
        catch (InvalidDataException shortage) when (shortage.Message.IndexOf(": ", StringComparison.Ordinal) is var colon and > 0)
        {
            Add(path, $"{count}", shortage.Message[..colon], shortage.Message[(colon + 2)..].TrimEnd('.'));
            return 0;
        }
    }

    private void CheckFamilies()
    {
        var parts = recipe.Problems.ToParts();
        foreach (var (path, split, count) in new[]
        {
            ("problems.train", Split.Train, recipe.Problems.Train), ("problems.validation", Split.Validation, recipe.Problems.Validation),
            ("problems.test", Split.Test, recipe.Problems.Test),
        })
        {
            foreach (string shortage in ProblemSet.FindShortages(parts, (ulong)recipe.Problems.Seed, split, count))
            {
                // One sentence: what is missing, then what to do.
                int colon = shortage.IndexOf(": ", StringComparison.Ordinal);
                Add(path, $"{count}", shortage[..colon], shortage[(colon + 2)..].TrimEnd('.'));
            }
        }
    }

    private void Add(string path, string value, string fault, string remedy) =>
        problems.Add(new RecipeProblem(path, "", value, fault, remedy));
}
