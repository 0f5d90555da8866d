namespace Distill.Pipeline.Recipes;

/// <summary>One thing wrong with a recipe, complete enough to be mended without opening the documentation.</summary>
/// <param name="Path">Where in the recipe, e.g. <c>sft.learning_rate</c>; empty for the file as a whole.</param>
/// <param name="Place"><c>line 12</c>, <c>--set</c>, or empty when the value is absent.</param>
/// <param name="Value">What was found there, shortened; empty when nothing was.</param>
/// <param name="Fault">What is wrong, with the allowed range.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record RecipeProblem(string Path, string Place, string Value, string Fault, string Remedy)
{
    public override string ToString()
    {
        string where = Place.Length > 0 ? $"{Place}: " : "";
        string what = (Path.Length, Value.Length) switch
        {
            (0, _) => "",
            (_, 0) => $"{Path}: ",
            _ => $"{Path} = {Value}: ",
        };
        return $"{where}{what}{Fault}; {Remedy}";
    }
}
