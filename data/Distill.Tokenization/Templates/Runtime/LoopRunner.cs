using Distill.Tokenization.Templates.Syntax;
using Distill.Tokenization.Templates.Values;

namespace Distill.Tokenization.Templates.Runtime;

/// <summary>Runs <c>for</c>.</summary>
internal sealed class LoopRunner(RenderContext context, ExpressionEvaluator expressions, StatementRunner statements)
{
    public void Run(Statement.For loop, Scope scope, Output output) =>
        Run(loop, expressions.Evaluate(loop.Items, scope), scope, output, depth: 1);

    private void Run(Statement.For loop, Value source, Scope scope, Output output, int depth)
    {
        context.Budget.Enter();
        var items = Items(loop, source, scope);
        var state = new Loop(items, depth, loop.IsRecursive ? inner => Recurse(loop, inner, scope, depth) : null);
        bool completed = false;
        for (; state.Index < items.Count; state.Index++)
        {
            context.Budget.Step();
            var inner = new Scope(scope);
            inner.Set("loop", state);
            statements.Assign(loop.Target, items[state.Index], inner);
            var flow = statements.Run(loop.Body, inner, output);
            completed |= flow == Flow.Next;
            if (flow == Flow.Break) break;
        }
        // As in Jinja, 'else' also runs when every round was left by 'break' or 'continue'.
        if (!completed) statements.Run(loop.Otherwise, new Scope(scope), output);
        context.Budget.Leave();
    }

    /// <summary>The condition is asked before the loop begins, so that <c>loop.length</c> counts only what passes.</summary>
    private List<Value> Items(Statement.For loop, Value source, Scope scope)
    {
        if (loop.Condition is null) return context.ToList(source);
        var items = new List<Value>();
        foreach (var item in context.Iterate(source))
        {
            var inner = new Scope(scope);
            statements.Assign(loop.Target, item, inner);
            if (expressions.Evaluate(loop.Condition, inner).IsTrue) items.Add(item);
        }
        return items;
    }

    private Text Recurse(Statement.For loop, Value items, Scope scope, int depth)
    {
        var output = new Output(context);
        Run(loop, items, scope, output, depth + 1);
        return output.ToText();
    }
}
