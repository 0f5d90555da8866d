using System.Text.Json.Nodes;
using Distill.Data.Problems;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Stages;

/// <summary>The verifiers that grade a recipe's problems, by family: part of the key of every stage that grades.</summary>
internal static class VerifierVersions
{
    public static JsonObject Of(DistillationRecipe recipe) => new(recipe.Problems.Families.Select(share => share.Name).Distinct().Order(StringComparer.Ordinal)
        .Select(name => KeyValuePair.Create(name, (JsonNode?)ProblemFamilies.Get(name).Verifier.Version)));
}
