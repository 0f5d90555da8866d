namespace Distill.Data.Problems.Contradiction;

/// <summary>Person <paramref name="Greater"/> is above person <paramref name="Smaller"/>; said the other way round when <paramref name="Inverse"/>.</summary>
internal sealed record Comparison(int Greater, int Smaller, bool Inverse);

/// <param name="Statements">In the order of the text; nobody is the greater one twice.</param>
/// <param name="Names">By person.</param>
/// <param name="Above">E.g. <c>older</c>.</param>
/// <param name="Below">Its inverse, e.g. <c>younger</c>.</param>
internal sealed record ContradictionContent(
    IReadOnlyList<Comparison> Statements, IReadOnlyList<string> Names, string Above, string Below, Surroundings Surroundings);
