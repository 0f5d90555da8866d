using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>
/// What of teacher and student does not fit the recipe or one another: tokenizers, templates, end tokens, think marks. Faults would break
/// the run or spoil its result for sure; notes are to be looked at.
/// </summary>
internal sealed class ModelFit
{
    private const string Teacher = "teacher.model", Student = "student.base";

    private readonly DistillationRecipe recipe;
    private readonly List<RecipeProblem> faults = [];
    private readonly List<string> notes = [];

    private ModelFit(DistillationRecipe recipe) => this.recipe = recipe;

    public IReadOnlyList<RecipeProblem> Faults => faults;

    public IReadOnlyList<string> Notes => notes;

    /// <param name="teacher">Null where it is not at hand.</param>
    /// <param name="student">Likewise.</param>
    /// <param name="othersMarkThinking">Whether one of the other teachers marks its thinking, or may.</param>
    public static ModelFit Of(DistillationRecipe recipe, ModelFacts? teacher, ModelFacts? student, bool othersMarkThinking = false)
    {
        var fit = new ModelFit(recipe);
        if (teacher is not null) fit.CheckTeacher(teacher);
        // Of existing traces it is known what they hold, and looked at elsewhere.
        bool marksAreNeeded = recipe.Traces.From is null && (othersMarkThinking || teacher?.Encoder.MarksThinking != false);
        if (student is not null) fit.CheckStudent(student, marksAreNeeded);
        if (teacher is not null && student is not null) fit.CheckBoth(teacher, student);
        return fit;
    }

    private void CheckTeacher(ModelFacts teacher)
    {
        CheckVocabulary(teacher, Teacher, recipe.Teacher.Model);
        var prompt = new PromptProbe(teacher.Encoder.With(recipe.Prompt.ToTeacherStyle()));
        CheckPrompt(prompt, Teacher, recipe.Teacher.Model, "prompt.system", "prompt.examples");
        if (prompt.Fault is not null) return;
        if (prompt.ForeignEnd is { } end)
            notes.Add($"{Teacher}: its template ends a reply with {end}, which is none of its end tokens ({prompt.EndWords}), so it may "
                + "not stop: name it in eos_token_id of generation_config.json.");
        if (prompt.Thinking == PromptThinking.Closed)
            notes.Add($"{Teacher}: its prompt ends with the thinking closed, so it answers without steps: look at "
                + "prompt.template_options, e.g. enable_thinking.");
    }

    private void CheckStudent(ModelFacts student, bool marksAreNeeded)
    {
        // A model without marks thinks in its answer; what an endpoint does is not known.
        if (marksAreNeeded && !student.Encoder.MarksThinking && !recipe.Student.AddTokens)
            Fault(Student, recipe.Student.Base, $"its tokenizer has no {ThinkMarks.Open} and {ThinkMarks.Close}",
                "set student.add_tokens to true, which gives it both");
        CheckVocabulary(student, Student, recipe.Student.Base);
        var prompt = new PromptProbe(student.Encoder.With(recipe.Prompt.ToStudentStyle()));
        CheckPrompt(prompt, Student, recipe.Student.Base, "prompt.student_system", "prompt.student_examples");
        if (prompt.Fault is not null) return;
        if (prompt.Lost is { } lost)
            notes.Add($"{Student}: its tokenizer cannot write {lost} back, so what it learns from the traces is not what they say.");
        if (recipe.Sft.Enabled && prompt.Thinking is not PromptThinking.None)
            notes.Add($"{Student}: its template {(prompt.Thinking == PromptThinking.Open ? "opens" : "opens and closes")} the thinking "
                + "before the reply, and training opens it once more: look at prompt.template_options, or take another template.");
    }

    private void CheckVocabulary(ModelFacts model, string path, string value)
    {
        int ids = model.Encoder.Tokenizer.VocabularySize;
        if (ids > model.VocabularySize)
            Fault(path, value, $"its tokenizer has {ids:N0} ids and the model knows {model.VocabularySize:N0}: they do not belong together",
                "give the folder of a model with its own tokenizer");
    }

    private void CheckPrompt(PromptProbe prompt, string path, string value, string system, string examples)
    {
        const string Other = "change the template, or leave it out";
        if (prompt.Fault is { } fault)
        {
            string what = prompt.Refused switch
            {
                PromptPart.System => $"the system message of {system}",
                PromptPart.Examples => $"the turns of {examples}",
                _ => "a question",
            };
            Fault(path, value, $"its chat template refuses {what}: {fault.TrimEnd('.')}",
                prompt.Refused == PromptPart.Question ? "give a model with another template" : Other);
        }
        else if (prompt.Missing is { } missing)
        {
            string what = missing switch
            {
                PromptPart.System => $"the system message of {system}",
                PromptPart.Examples => $"the turns of {examples}",
                _ => "the question",
            };
            Fault(path, value, $"its chat template leaves out {what}", missing == PromptPart.Question ? "give a model with another template"
                : Other);
        }
    }

    private void CheckBoth(ModelFacts teacher, ModelFacts student)
    {
        const string Remedy = "leave it out, or take a teacher or a student with the other's tokenizer";
        bool isSame = teacher.Encoder.Tokenizer.Fingerprint == student.Encoder.Tokenizer.Fingerprint;
        bool learnsTokens = recipe.SoftLabels is not null && recipe.Traces.From is null;
        if (learnsTokens && !isSame)
            Fault("soft_labels", "", "teacher and student have different tokenizers, so the teacher's alternatives mean other tokens to "
                + "the student", Remedy);
        else if (learnsTokens)
            CheckSoftLabels(teacher, student);
        if (recipe.Rl is { Steps: > 0, TeacherWeight: { } weight } && Differences(teacher, student, isSame) is { Count: > 0 } differences)
            Fault("rl.teacher_weight", $"{weight}",
                "it needs one tokenizer, vocabulary and chat template for teacher and student, and these differ: "
                    + string.Join("; ", differences), Remedy);
    }

    private void CheckSoftLabels(ModelFacts teacher, ModelFacts student)
    {
        if (!student.Encoder.EndTokens.Contains(teacher.Encoder.EndToken))
            Fault("soft_labels", "", $"the teacher ends its replies with {Word(teacher, teacher.Encoder.EndToken)}, which is none of the "
                + "student's end tokens, so the student would learn not to stop",
                "name it in eos_token_id of the student's generation_config.json, or leave soft_labels out");
        var style = recipe.Prompt.ToStudentStyle();
        if (!PromptProbe.IsSamePrompt(teacher.Encoder.With(style), student.Encoder.With(style)))
            notes.Add("soft_labels: the chat templates of teacher and student differ, so the teacher's tokens follow another prompt than "
                + "they did.");
    }

    private List<string> Differences(ModelFacts teacher, ModelFacts student, bool isSame)
    {
        var style = recipe.Prompt.ToStudentStyle(); // in which both read the student's completions
        var found = new List<string>();
        if (!isSame) found.Add("the tokenizers");
        if (teacher.VocabularySize != student.VocabularySize)
            found.Add($"the vocabularies ({teacher.VocabularySize:N0} and {student.VocabularySize:N0} ids)");
        if (teacher.Encoder.EndToken != student.Encoder.EndToken)
            found.Add($"the end tokens ({Word(teacher, teacher.Encoder.EndToken)} and {Word(student, student.Encoder.EndToken)})");
        if (isSame && !PromptProbe.IsSamePrompt(teacher.Encoder.With(style), student.Encoder.With(style))) found.Add("the chat templates");
        return found;
    }

    private static string Word(ModelFacts model, int token) =>
        model.Encoder.Tokenizer.TryPieceOf(token, out string? piece) ? piece : $"id {token}";

    private void Fault(string path, string value, string fault, string remedy) =>
        faults.Add(new RecipeProblem(path, "", value, fault, remedy));
}
