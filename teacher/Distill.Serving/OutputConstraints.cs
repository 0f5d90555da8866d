using Distill.Client;
using Distill.Generation.Constraints;
using Distill.Serving.Protocol;
using Distill.Serving.Requests;
using Distill.Tokenization;

namespace Distill.Serving;

/// <summary>Forms that replies must have, as constraints; what is wrong with one is the caller's bad input. Thread-safe.</summary>
/// <param name="dialect">How the model writes calls; null where it knows no tools.</param>
internal sealed class OutputConstraints(Tokenizer tokenizer, ToolDialect? dialect)
{
    private readonly ConstraintCache cache = new(tokenizer);

    /// <returns>Null where a reply may be anything.</returns>
    /// <exception cref="ApiException">There is no such constraint: names the keyword that is not supported.</exception>
    public ITokenConstraint? Of(OutputFormat? format, ToolParameters tools)
    {
        if (tools.Mode == ToolMode.Required) return CallOf(tools, otherwise: null);
        if (format is null) return null;
        string schema = format.Schema?.GetRawText() ?? "";
        var answer = Checked(format.Path, () => cache.OfFormat(schema));
        return tools.CanCall ? CallOf(tools, schema) : answer;
    }

    private JsonConstraint CallOf(ToolParameters tools, string? otherwise) =>
        Checked("tools", () => cache.OfCalls([.. tools.Callable], otherwise, dialect!));

    private static JsonConstraint Checked(string parameter, Func<JsonConstraint> make)
    {
        try
        {
            return make();
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            throw ApiException.Invalid(parameter, fault.Message, "invalid_json_schema");
        }
    }
}
