"""The ground floor: workspace, artifacts, errors, query, engine. It knows no stage."""
