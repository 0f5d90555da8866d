using Distill.Tokenization.Templates.Runtime;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Library;

/// <summary>What <c>input | name(arguments)</c> computes.</summary>
internal delegate Value Filter(RenderContext context, Value input, CallArguments arguments);
