using Distill.Architecture;
using Distill.Generation.Onnx;
using Distill.Pipeline.Recipes;
using Distill.Tokenization;

namespace Distill.Pipeline.Runs;

/// <summary>Opens the models that a recipe names before any work, so that an hour of traces is not spent on a student that cannot be trained.</summary>
internal static class ModelCheck
{
    /// <exception cref="InvalidRecipeException">A model does not fit the recipe; all faults at once.</exception>
    public static void Require(DistillationRecipe recipe)
    {
        var problems = new List<RecipeProblem>();
        void Try(string path, string value, string remedy, Action look)
        {
            try
            {
                look();
            }
            catch (InvalidDataException fault)
            {
                problems.Add(new RecipeProblem(path, "", value, fault.Message.TrimEnd('.'), remedy));
            }
        }

        if (recipe.Teacher.Remote is null) Try("teacher.model", recipe.Teacher.Model, "give the folder of an ONNX model", () => ModelFolder.Open(recipe.Teacher.Model).LoadEncoder());
        Try("student.base", recipe.Student.Base, "give the folder of a checkpoint with a tokenizer", () => CheckBase(recipe, problems));
        if (problems.Count > 0) throw new InvalidRecipeException(recipe.Name, problems);
    }

    private static void CheckBase(DistillationRecipe recipe, List<RecipeProblem> problems)
    {
        var checkpoint = Checkpoint.Open(recipe.Student.Base);
        int longest = checkpoint.Architecture.MaxPositions;
        foreach (var (path, length) in (ReadOnlySpan<(string, int)>)[("sft.sequence_length", recipe.Sft.SequenceLength), ("answer_only.sequence_length", recipe.AnswerOnly.Training.SequenceLength)])
        {
            if (length > longest) problems.Add(new RecipeProblem(path, "", $"{length}", $"longer than the {longest:N0} positions of the base", "lower it, or take a base with a longer context"));
        }

        var tokenizer = ChatEncoder.Load(recipe.Student.Base).RequireChat().Tokenizer;
        if (tokenizer.IdOf(ThinkMarks.Open) is null || tokenizer.IdOf(ThinkMarks.Close) is null)
            problems.Add(new RecipeProblem("student.base", "", recipe.Student.Base, $"its tokenizer has no {ThinkMarks.Open} and {ThinkMarks.Close}", "add them as added tokens of tokenizer.json"));
    }
}
